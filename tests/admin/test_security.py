"""What keeps strangers out of the admin: policy, cookies, the limit of the login, and the checks before a start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client, override_settings

from atsite import checks
from atsite.core.config import BASE_DIR, config
from atsite.core.web.client_address import client_of
from atsite.dashboard import login_throttle as admin_login
from atsite.dashboard.tasks import clear_sessions
from tests.away import redis_away

if TYPE_CHECKING:
    from pathlib import Path

    import redis

LOGIN = "/admin/login/"
PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
#: Each try of a password takes a third of a second otherwise, on purpose.
at_once = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.7, 203.0.113.9, 10.2.0.1", "203.0.113.9"),
        ("10.0.0.1", "nonsense", "nonsense"),
        ("10.0.0.1", "203.0.113.9, nonsense", "nonsense"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "", "192.0.2.1"),
    ],
)
def test_the_client_is_who_the_trusted_proxies_say(peer: str, forwarded: str, client: str) -> None:
    assert client_of(peer, forwarded, PROXIES) == client


@override_settings(ALLOWED_HOSTS=["site.example.com"], ROOT_URLCONF="atsite.urls.admin")
def test_a_wrong_host_is_told_so_and_what_was_sent_is_not_repeated(client: Client) -> None:
    answer = client.get(LOGIN, headers={"host": "evil.example"})
    said = "the Host header is not one of ALLOWED_HOSTS, the host names of this service\n"
    assert (answer.status_code, answer.content.decode()) == (400, said)


@pytest.mark.django_db
@override_settings(ROOT_URLCONF="atsite.urls.admin")
def test_a_page_that_a_role_may_not_see_is_one_line_in_the_log(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(User.objects.create_user("no role", is_staff=True))
    answer = client.get("/admin/labels/label/")
    assert (answer.status_code, "Not allowed for your role" in answer.content.decode()) == (403, True)
    assert [(line.levelname, line.getMessage(), line.exc_info) for line in caplog.records] == [
        ("WARNING", "Forbidden (Permission denied): /admin/labels/label/", None)
    ]


@pytest.mark.django_db
def test_every_page_of_the_admin_carries_its_policy(client: Client) -> None:
    headers = client.get(LOGIN).headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert (policy["default-src"], policy["frame-ancestors"]) == ("'none'", "'none'")
    assert policy["script-src"] == "'self' 'unsafe-eval'"
    assert policy["style-src"] == "'self'"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert b"<style" not in client.get(LOGIN).content


@at_once
@pytest.mark.django_db
def test_a_wrong_password_is_told_once_in_words(valkey: redis.Redis, client: Client) -> None:
    refused = client.post(LOGIN, {"username": "nobody", "password": "nothing"}).content.decode()
    assert "correct username and password" in refused
    assert "correct the error" not in refused
    empty = client.post(LOGIN, {"username": "", "password": ""}).content.decode()
    assert "correct the errors below" in empty


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused() -> None:
    assert Client(enforce_csrf_checks=True).post(LOGIN, {"username": "a", "password": "b"}).status_code == 403


@pytest.mark.django_db
def test_expired_sessions_are_deleted_and_others_stay() -> None:
    expired, current = SessionStore(), SessionStore()
    expired.set_expiry(-1)
    expired.save()
    current.save()
    clear_sessions()
    assert list(Session.objects.values_list("session_key", flat=True)) == [current.session_key]


def attempt(client: Client, name: str, password: str = "wrong", address: str = "192.0.2.1") -> str:
    response = client.post(LOGIN, {"username": name, "password": password}, REMOTE_ADDR=address)
    return "in" if response.status_code == 302 else response.content.decode()


@at_once
@pytest.mark.django_db
def test_one_address_has_few_tries_and_others_go_on(valkey: redis.Redis, client: Client) -> None:
    User.objects.create_superuser("mira", password="right")
    for number in range(admin_login.PER_ADDRESS):
        assert "Too many" not in attempt(client, f"name{number}")
    assert "Too many attempts to log in. Try again in" in attempt(client, "mira", "right")
    assert attempt(Client(), "mira", "right", "192.0.2.2") == "in"


@at_once
@pytest.mark.django_db
def test_a_name_has_few_tries_from_all_addresses_together(valkey: redis.Redis, client: Client) -> None:
    for number in range(admin_login.PER_NAME):
        assert "Too many" not in attempt(client, "mira" if number % 2 else "MIRA", address=f"192.0.2.{number + 1}")
    assert "Too many" in attempt(client, "mira", address="198.51.100.1")


@at_once
@pytest.mark.django_db
def test_one_address_cannot_lock_a_name_out_nor_fill_the_stores(valkey: redis.Redis, client: Client) -> None:
    User.objects.create_superuser("mira", password="right")
    for number in range(admin_login.PER_NAME + 1):
        attempt(client, "mira")
        attempt(client, f"name{number}")
    assert attempt(Client(), "mira", "right", "192.0.2.2") == "in"
    assert len(valkey.keys("*rate:login:name:*")) <= admin_login.PER_ADDRESS
    assert all(0 < valkey.pttl(key) <= 60_000 for key in valkey.keys("*rate:login:*"))
    assert Session.objects.count() == 1  # of the login that succeeded


@at_once
@pytest.mark.django_db
def test_the_limit_holds_while_redis_is_away(client: Client) -> None:
    with redis_away():
        said = [attempt(client, f"name{number}", address="192.0.2.77") for number in range(admin_login.PER_ADDRESS + 1)]
    assert ["Too many" in text for text in said] == [False] * admin_login.PER_ADDRESS + [True]


#: Settings on which the safety of a public admin depends, as production has them.
IN_PRODUCTION = {
    "DEBUG": False,
    "ALLOWED_HOSTS": ["site.example.com"],
    "SECURE_SSL_REDIRECT": True,
    "SECURE_REDIRECT_EXEMPT": ["^healthz$"],
    "SECURE_HSTS_SECONDS": 31_536_000,
    "SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"],
    "SESSION_COOKIE_SECURE": True,
    "SESSION_COOKIE_NAME": "__Host-sessionid",
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "CSRF_COOKIE_SECURE": True,
    "CSRF_COOKIE_NAME": "__Host-csrftoken",
    "CSRF_COOKIE_SAMESITE": "Lax",
    "X_FRAME_OPTIONS": "DENY",
    "SIMPLE_HISTORY_REVERT_DISABLED": True,
    "MIDDLEWARE": [
        "django.middleware.security.SecurityMiddleware",
        "csp.middleware.CSPMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        "simple_history.middleware.HistoryRequestMiddleware",
    ],
    "ROOT_URLCONF": "atsite.urls.admin",
}


def test_production_is_served_over_https_alone_with_cookies_of_its_own_host(tmp_path: Path) -> None:
    """The quick part of the slow test below: settings are read once, when a process starts."""
    code = f"import json, atsite.settings as s; print(json.dumps({{n: getattr(s, n) for n in {list(IN_PRODUCTION)}}}))"
    environment = {
        "ATSITE_ENVIRONMENT": "production",
        "ATSITE_SERVICE": "admin",
        "SECRET_KEY": "0a1B2c3D4e5F6g7H8i9J" * 3,
        "ALLOWED_HOSTS": "site.example.com",
        "DATA_DIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == IN_PRODUCTION


@pytest.mark.slow
@pytest.mark.parametrize("service", ["admin", "feedgen", "search"])
def test_djangos_own_deployment_checks_are_clean_in_production(service: str, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "ATSITE_ENVIRONMENT": "production",
        "ATSITE_SERVICE": service,
        "SECRET_KEY": "0a1B2c3D4e5F6g7H8i9J" * 3,
        "ALLOWED_HOSTS": "site.example.com,feeds.example.com",
        "FEED_ACTOR_DID": "did:plc:ewvi7nxzyoun6zhxrhs64oiz",
        "SERVICE_ENDPOINT": "https://feeds.example.com",
        "DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(
        command, cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_configuration_that_lets_strangers_in_or_nobody_is_told() -> None:
    production = replace(config, environment="production", allowed_hosts=("site.example.com",))
    assert checks.problems(config) == checks.problems(production) == []
    told = {
        "atsite.E001": replace(config, environment="demo", listen_host="0.0.0.0"),
        "atsite.E005": replace(config, listen_host="example.com"),
        "atsite.E006": replace(config, feed_actor_did="did:plc:x"),
        "atsite.E007": replace(
            production, service_endpoint="http://site.example.com", service_did="did:web:site.example.com"
        ),
        "atsite.W008": replace(
            production, service_endpoint="https://feeds.example.com", service_did="did:web:feeds.example.com"
        ),
        "atsite.E002": replace(production, allowed_hosts=()),
        "atsite.W003": replace(production, allowed_hosts=("*",)),
        "atsite.W009": replace(production, cleanup=replace(config.cleanup, host="cleanup.example.com")),
        "atsite.W004": replace(config, trusted_proxies=(ip_network("0.0.0.0/0"),)),
    }
    assert {name: [problem.id for problem in checks.problems(site)] for name, site in told.items()} == {
        name: [name] for name in told
    }
    assert checks.problems(replace(config, environment="demo", listen_host="localhost")) == []
    local = replace(config, environment="development", allow_loopback=False, feed_actor_did=checks.LOCAL_PUBLISHER)
    assert checks.problems(local) == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"feed_actor_did": "did:plc:x"},
            "FEED_ACTOR_DID: did:plc:x is not a whole did: 24 characters, a to z and 2 to 7, follow did:plc:."
            " Set it to the did of the account that publishes the feeds.",
        ),
        (
            {"feed_actor_did": "did:web:Feeds.example.com"},
            "FEED_ACTOR_DID has capital letters in its host name. Write it as did:web:feeds.example.com.",
        ),
        (
            {"service_endpoint": "http://feeds.example.com", "service_did": "did:web:feeds.example.com"},
            "SERVICE_ENDPOINT=http://feeds.example.com cannot be used by the network."
            " Set it to https://HOST: a public host name, without a port.",
        ),
        (
            {"service_endpoint": "https://feeds.local", "service_did": "did:web:feeds.local"},
            "SERVICE_ENDPOINT=https://feeds.local cannot be used by the network."
            " Set it to https://HOST: a public host name, without a port.",
        ),
        (
            {"service_endpoint": "https://other.example.org", "service_did": "did:web:other.example.org"},
            "ALLOWED_HOSTS lacks other.example.org, the host of SERVICE_ENDPOINT: the feed generator refuses the"
            " network. Add other.example.org to ALLOWED_HOSTS.",
        ),
        ({"service_endpoint": "https://Feeds.example.com", "service_did": "did:web:Feeds.example.com"}, None),
        ({"service_endpoint": "https://a.b.example.com", "service_did": "did:plc:ewvi7nxzyoun6zhxrhs64oiz"}, None),
    ],
)
def test_what_keeps_the_network_out_is_told(settings: dict[str, str], told: str | None) -> None:
    production = replace(
        config, environment="production", allow_loopback=False, allowed_hosts=(".example.com", "feeds.local")
    )
    said = [f"{problem.msg} {problem.hint}" for problem in checks.problems(replace(production, **settings))]  # type: ignore[arg-type]
    assert said == ([told] if told else [])
    if "service_endpoint" in settings and told and told.startswith("ALLOWED_HOSTS"):
        assert checks.problems(replace(production, service="admin", **settings)) == []  # type: ignore[arg-type]
