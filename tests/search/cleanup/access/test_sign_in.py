"""Signing in at any PDS: who is asked, what is sent, and what is refused in which words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.atproto.did_document import DidDocument
from atsite.core.config import config
from atsite.core.identity import resolver
from search.cleanup.access import sign_in as module
from search.cleanup.access.sign_in import PER_ACCOUNT, PER_ADDRESS, SignInRefused, sign_in
from tests.search.cleanup.access.network import APP_PASSWORD, HANDLE, MIRA, token

if TYPE_CHECKING:
    import redis

    from tests.search.cleanup.access.network import Network

pytestmark = pytest.mark.usefixtures("valkey")

HOME = "192.0.2.7"
ELSEWHERE = "198.51.100.9"


@pytest.fixture(autouse=True)
def asked_here(pds: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """The network is asked about accounts."""
    here = replace(config, plc_url=pds.url, handle_resolver_url=pds.url)
    monkeypatch.setattr(resolver, "config", here)


def refused(identifier: str = HANDLE, password: str = APP_PASSWORD, address: str = HOME) -> SignInRefused:
    with pytest.raises(SignInRefused) as caught:
        sign_in(identifier, password, address=address)
    assert password not in str(caught.value)
    assert "secret of the PDS" not in str(caught.value)
    return caught.value


def summary(error: SignInRefused) -> tuple[str, int]:
    return error.name, error.status


@pytest.mark.parametrize("identifier", [HANDLE, f" @{HANDLE.upper()} ", MIRA, f"https://bsky.app/profile/{HANDLE}"])
def test_the_did_and_the_app_password_are_sent_to_the_account_s_own_pds(pds: Network, identifier: str) -> None:
    found = sign_in(identifier, f" {APP_PASSWORD}\n", address=HOME)
    assert (found.session.did, found.handle, found.pds) == (MIRA, HANDLE, pds.url)
    assert found.session.refresh_token == "the refresh token"
    assert pds.calls == [("com.atproto.server.createSession", "", {"identifier": MIRA, "password": APP_PASSWORD})]
    assert "the refresh token" not in repr(found)


@pytest.mark.parametrize("identifier", ["mira@mail.example", "@mira@mail.example", " mira@mira.test "])
def test_an_e_mail_address_is_refused_before_anything_is_sent(pds: Network, identifier: str) -> None:
    pds.url = ""
    error = refused(identifier)
    assert summary(error) == ("InvalidIdentifier", 400)
    assert "e-mail" in str(error)
    assert "mira@" not in str(error)
    assert pds.calls == []


@pytest.mark.parametrize("identifier", ["", "mira", "did:plc:x", "did:web:localhost%3A1/x", "\ud800.test", "a" * 9_999])
def test_what_is_not_a_handle_or_did_is_refused(pds: Network, identifier: str) -> None:
    assert summary(refused(identifier)) == ("InvalidIdentifier", 400)
    assert pds.calls == []


@pytest.mark.parametrize(
    "password", ["", "correct horse", "abcd-efgh-2345", f"{APP_PASSWORD}-aaaa", "ABCD-efgh-2345-wxyz"]
)
def test_a_main_password_is_recognised_by_its_shape_and_never_sent(pds: Network, password: str) -> None:
    with pytest.raises(SignInRefused, match="not an app password") as caught:
        sign_in(HANDLE, password, address=HOME)
    assert summary(caught.value) == ("NotAnAppPassword", 400)
    assert pds.calls == []


@pytest.mark.parametrize("scope", ["com.atproto.access", "", None, ["com.atproto.appPass"], "com.atproto.appPass x"])
def test_the_session_of_another_kind_of_password_is_ended_and_refused(pds: Network, scope: object) -> None:
    pds.account["accessJwt"] = token(scope)
    assert summary(refused()) == ("NotAnAppPassword", 400)
    assert pds.signed_out == ["the refresh token"]


def test_an_app_password_with_access_to_chats_is_one(pds: Network) -> None:
    pds.account["accessJwt"] = token("com.atproto.appPassPrivileged")
    assert sign_in(MIRA, APP_PASSWORD, address=HOME).handle == HANDLE


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"did": "did:plc:noelnoelnoelnoelnoelnoel"}, ("WrongAccount", 502)),
        ({"active": False, "status": "deactivated"}, ("AccountDeactivated", 400)),
        ({"active": False, "status": "takendown"}, ("AccountTakedown", 400)),
        ({"active": False}, ("AccountInactive", 400)),
        ({"refreshJwt": "r" * 8_193}, ("UpstreamFailure", 502)),
    ],
)
def test_a_session_that_cannot_be_used_is_ended(
    pds: Network, answer: dict[str, Any], expected: tuple[str, int]
) -> None:
    pds.account |= answer
    assert summary(refused()) == expected
    assert pds.signed_out == [pds.account["refreshJwt"]]


@pytest.mark.parametrize(
    ("status", "name", "expected"),
    [
        (401, "AuthenticationRequired", ("AuthenticationRequired", 401)),
        (400, "InvalidRequest", ("AuthenticationRequired", 401)),
        (401, "AuthFactorTokenRequired", ("AuthFactorTokenRequired", 401)),
        (401, "AccountTakedown", ("AccountTakedown", 403)),
        (401, "AccountDeactivated", ("AccountDeactivated", 400)),
        (500, "InternalServerError", ("UpstreamFailure", 502)),
        (302, "", ("UpstreamFailure", 502)),
    ],
)
def test_what_the_pds_refuses_has_a_name_and_a_sentence(
    pds: Network, status: int, name: str, expected: tuple[str, int]
) -> None:
    pds.refuse(status, name)
    error = refused()
    assert summary(error) == expected
    assert str(error).endswith(".")


def test_the_limit_of_the_pds_is_told_with_its_pause(pds: Network) -> None:
    pds.refuse(429, "RateLimitExceeded", retry_after="121")
    error = refused()
    assert (*summary(error), error.wait) == ("RateLimitExceeded", 429, 121)
    assert "in 3 minutes" in str(error)


def test_an_answer_that_is_no_session_is_the_fault_of_the_pds(pds: Network) -> None:
    for body in (b"[]", b"{}", b"<html>", b'{"did": 3}'):
        pds.sign_in = (200, {}, body)
        assert summary(refused()) == ("UpstreamFailure", 502)


def test_a_handle_that_does_not_point_back_or_does_not_exist_is_refused(pds: Network) -> None:
    assert summary(refused("noel.test")) == ("AccountNotFound", 400)
    pds.also_known_as = ["at://another.test"]
    assert summary(refused()) == ("AccountNotFound", 400)
    assert pds.calls == []


def test_a_handle_that_was_given_up_since_is_refused_although_it_is_remembered(pds: Network) -> None:
    sign_in(HANDLE, APP_PASSWORD, address=HOME)
    pds.also_known_as = []
    assert summary(refused()) == ("AccountNotFound", 400)


def test_the_pds_is_the_one_that_the_document_names_now(pds: Network) -> None:
    sign_in(HANDLE, APP_PASSWORD, address=HOME)
    pds.pds = "http://127.0.0.1:1"
    assert summary(refused()) == ("UpstreamFailure", 502)
    assert len(pds.calls) == 1


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/path", "http://127.0.0.1:1?x=", "ftp://x.test", "http://["])
def test_an_address_that_is_no_server_is_not_asked(pds: Network, address: str) -> None:
    pds.pds = address
    assert refused().name == "NoServer"


def test_only_https_is_asked_outside_of_demos_and_tests(pds: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    account = DidDocument(did=MIRA, handle=None, signing_key=None, pds=pds.url)
    assert module._server_of(account) == pds.url
    monkeypatch.setattr(module, "config", replace(config, allow_loopback=False))
    with pytest.raises(SignInRefused, match="https"):
        module._server_of(account)
    assert module._server_of(replace(account, pds="https://pds.example")) == "https://pds.example"


def test_a_network_that_does_not_answer_is_not_the_fault_of_the_owner(pds: Network) -> None:
    pds.plc_status = 500
    assert summary(refused()) == ("UpstreamFailure", 502)


def test_an_attacker_at_another_address_does_not_lock_the_owner_out(pds: Network) -> None:
    for _ in range(PER_ACCOUNT):
        assert refused(password="aaaa-aaaa-aaaa-aaaa", address=ELSEWHERE).name == "AuthenticationRequired"
    error = refused(password=APP_PASSWORD, address=ELSEWHERE)
    assert summary(error) == ("RateLimitExceeded", 429)
    assert 0 < error.wait <= 300
    assert refused(MIRA, address=ELSEWHERE).name == "RateLimitExceeded"
    assert len(pds.calls) == PER_ACCOUNT
    assert sign_in(HANDLE, APP_PASSWORD, address=HOME).session.did == MIRA


def test_an_address_has_a_limit_over_all_accounts_and_leaves_no_name_in_redis(
    pds: Network, valkey: redis.Redis
) -> None:
    for number in range(PER_ADDRESS):
        assert refused(f"n{number}.test", address=ELSEWHERE).name == "AccountNotFound"
    assert refused(address=ELSEWHERE).name == "RateLimitExceeded"
    assert sign_in(HANDLE, APP_PASSWORD, address=HOME).session.did == MIRA
    keys = [key.decode() for key in valkey.scan_iter("*rate:*")]
    assert len(keys) == 3
    assert not any(MIRA in key for key in keys)
    assert all(0 < valkey.pttl(key) <= 300_000 for key in keys)


def test_no_more_sign_ins_at_once_than_there_are_places(monkeypatch: pytest.MonkeyPatch, pds: Network) -> None:
    held = [module._slots.acquire(blocking=False) for _ in range(module.AT_ONCE)]
    try:
        assert all(held)
        assert summary(refused()) == ("NotEnoughResources", 503)
    finally:
        for _ in held:
            module._slots.release()
    assert sign_in(HANDLE, APP_PASSWORD, address=HOME).session.did == MIRA
