"""Clean-ups against the official servers: what goes, what stays, and what happens when owner and PDS interfere."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final

import pytest

from search.cleanup import owner_actions
from search.cleanup.access import sign_in
from search.cleanup.models import Outcome, PdsSession, RepoCleanupJob
from search.cleanup.planning.record_types import LIKE, POST, REPOST, RecordType
from search.cleanup.states import State
from tests.devnet import pds_proxy
from tests.devnet.owner import Owner
from tests.search.cleanup import working
from tests.search.cleanup.ruled_server import Answer, cut, refused
from tests.search.cleanup.working import Clock, asked, confirmed, ended, outcomes, planned, rules, step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.devnet.network import Network
    from tests.devnet.pds_proxy import PdsProxy
    from tests.search.cleanup.ruled_server import Call

pytestmark = [
    pytest.mark.devnet,
    pytest.mark.slow,
    pytest.mark.usefixtures("clickhouse", "valkey"),
    pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"]),
]

#: More than two batches.
MANY: Final = 430
OTHERS_POST: Final = "at://did:plc:bbbbbbbbbbbbbbbbbbbbbbbb/app.bsky.feed.post/3k44dddkhs22a"
CID: Final = "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"
_numbers: Final = count(1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def proxy(network: Network, tmp_path: Path) -> Iterator[PdsProxy]:
    """The PDS, and a site that reaches it through a proxy."""
    with (
        pds_proxy.before_pds(network) as proxy,
        working.working(tmp_path / "cleanup", proxy.url, appview=network.appview_url),
    ):
        yield proxy


@pytest.fixture
def owner(network: Network) -> Owner:
    """Someone new."""
    return Owner(network, f"clean{next(_numbers)}")


def at(minute: int = 0) -> str:
    return f"2024-03-01T{minute // 60:02}:{minute % 60:02}:00.000Z"


def post(text: str = "Hello", /, **more: Any) -> dict[str, Any]:
    return {"text": text, "createdAt": at(), **more}


def subject(uri: str, cid: str = CID) -> dict[str, Any]:
    return {"subject": {"uri": uri, "cid": cid}, "createdAt": at()}


def many(owner: Owner) -> dict[str, str]:
    """Let the owner write posts, likes and reposts, and some follows that no clean-up touches; their repo then."""
    kinds: list[tuple[str, Callable[[int], dict[str, Any]]]] = [
        (POST, lambda number: post(f"number {number}")),
        (LIKE, lambda number: subject(f"{OTHERS_POST}{number}")),
        (REPOST, lambda number: subject(f"{OTHERS_POST}{number}")),
    ]
    records = {f"{kinds[number % 3][0]}/{number:04}": kinds[number % 3][1](number) for number in range(MANY)}
    follow = {"subject": "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb", "createdAt": at()}
    owner.create({**records, **{f"app.bsky.graph.follow/{number:04}": follow for number in range(5)}})
    return owner.repo()


def session(owner: Owner) -> PdsSession:
    """A session as the page makes it."""
    done = sign_in.sign_in(owner.did, owner.app_password, address="192.0.2.1")
    return working.kept(done.session, done.pds)


def confirmed_job(owner: Owner, clock: Clock) -> RepoCleanupJob:
    return confirmed(session(owner), clock)


def check_gone(row: RepoCleanupJob, owner: Owner, before: dict[str, str]) -> None:
    """The job is done, and the repo lacks exactly its plan."""
    assert (row.state, row.reason, row.report["left"]) == (State.COMPLETED, "", {})
    plan = planned(row)
    assert owner.repo() == {path: cid for path, cid in before.items() if path not in plan}
    assert set(outcomes(row).values()) == {Outcome.DONE}
    assert not PdsSession.objects.filter(job=row).exists()


# Types and protections


def typed(owner: Owner, network: Network) -> dict[str, set[RecordType]]:
    """Let the owner write records of each type and of several; the types of each, none of those always kept."""
    friend = Owner(network, f"f-{owner.name}")
    friend.create({f"{POST}/theirs": post("Talk to me")})
    theirs = friend.ref(f"{POST}/theirs")
    reply = {"reply": {"root": theirs, "parent": theirs}}
    quote = {"embed": {"$type": "app.bsky.embed.record", "record": theirs}}
    gif = {"$type": "app.bsky.embed.external", "external": _external("https://media.tenor.com/a.gif")}
    card = {"$type": "app.bsky.embed.external", "external": _external("https://example.com/")}
    kinds = RecordType
    written: dict[str, tuple[dict[str, Any], set[RecordType]]] = {
        f"{POST}/plain": (post(), {kinds.POST}),
        f"{POST}/card": (post(embed=card), {kinds.POST}),
        f"{POST}/gif": (post(embed=gif), {kinds.POST_WITH_MEDIA}),
        f"{POST}/reply": (post(**reply), {kinds.REPLY}),
        f"{POST}/quote": (post(**quote), {kinds.QUOTE}),
        f"{POST}/replyquote": (post(**reply, **quote), {kinds.REPLY, kinds.QUOTE}),
        f"{POST}/unknown": (post(embed={"$type": "com.example.embed"}), set()),
        f"{POST}/undated": (post() | {"createdAt": "long ago"}, set()),
        f"{POST}/future": (post() | {"createdAt": "2999-01-01T00:00:00Z"}, set()),
        f"{LIKE}/one": (subject(theirs["uri"], theirs["cid"]), {kinds.LIKE}),
        f"{REPOST}/one": (subject(theirs["uri"], theirs["cid"]), {kinds.REPOST}),
        "app.bsky.graph.follow/one": ({"subject": friend.did, "createdAt": at()}, set()),
        "app.bsky.actor.profile/self": ({"displayName": "Cleaner"}, set()),
    }
    owner.create({path: value for path, (value, _) in written.items()})
    # A real image, which needs an upload.
    (image,) = network.act(owner.name, "image")
    found = {path: types for path, (_, types) in written.items()}
    return found | {image.removeprefix(f"at://{owner.did}/"): {kinds.POST_WITH_MEDIA}}


def _external(uri: str) -> dict[str, str]:
    return {"uri": uri, "title": "A title", "description": ""}


def test_each_type_goes_when_it_is_chosen_and_a_dry_run_deletes_nothing(
    owner: Owner, network: Network, proxy: PdsProxy, clock: Clock
) -> None:
    types = typed(owner, network)
    before = owner.repo()
    assert set(types) == set(before)
    for chosen in [{kind} for kind in RecordType] + [{RecordType.REPLY, RecordType.QUOTE}, set(RecordType)]:
        row = step(asked(session(owner), rules(*chosen), permitted=False), clock)
        assert (row.state, row.reason) == (State.PLANNED, "")
        assert set(planned(row)) == {path for path, its in types.items() if its and its <= chosen}
        with pytest.raises(owner_actions.NotPossible):
            owner_actions.confirm(row, row.plan_digest)
        owner_actions.cancel(row)
    assert owner.repo() == before
    assert proxy.asked("applyWrites") == proxy.asked("deleteRecord") == []

    check_gone(ended(confirmed_job(owner, clock), clock), owner, before)
    assert set(owner.repo()) == {path for path, its in types.items() if not its}


def test_what_is_protected_stays(owner: Owner, network: Network, proxy: PdsProxy, clock: Clock) -> None:
    friend = Owner(network, f"f-{owner.name}")
    posts = ["plain", "pinned", "selfliked", "loved", "liked", "text", "linked", "named", "answered", "answeredbyme"]
    linked = {"$type": "app.bsky.embed.external", "external": _external("https://www.keep.example/page")}
    special = {"text": post("My LIGHTHOUSE trip"), "linked": post(embed=linked)}
    owner.create({f"{POST}/{name}": special.get(name, post(name)) for name in posts})
    refs = {name: owner.ref(f"{POST}/{name}") for name in posts}
    reply = {name: {"reply": {"root": refs[name], "parent": refs[name]}} for name in posts}
    owner.create(
        {
            "app.bsky.actor.profile/self": {"pinnedPost": refs["pinned"]},
            f"{LIKE}/own": {"subject": refs["selfliked"], "createdAt": at()},
            f"{POST}/ownanswer": post(**reply["answeredbyme"]),
            "app.bsky.feed.threadgate/plain": {"post": refs["plain"]["uri"], "allow": [], "createdAt": at()},
            "app.bsky.feed.postgate/plain": {"post": refs["plain"]["uri"], "createdAt": at()},
            "app.bsky.feed.threadgate/pinned": {"post": refs["pinned"]["uri"], "allow": [], "createdAt": at()},
        }
    )
    friend.create(
        {f"{POST}/answer": post(**reply["answered"]), f"{LIKE}/two": {"subject": refs["liked"], "createdAt": at()}}
    )
    for fan in (friend, Owner(network, "alice"), Owner(network, "bob")):
        fan.create({f"{LIKE}/of-{owner.name}": {"subject": refs["loved"], "createdAt": at()}})
    network.settle()
    before = owner.repo()
    chosen = rules(
        RecordType.POST,
        RecordType.REPLY,
        keep_above_likes=2,
        keep_texts={"lighthouse"},
        keep_domains={"keep.example"},
        keep_uris={refs["named"]["uri"]},
        keep_replied_to=True,
    )
    row = confirmed(session(owner), clock, chosen)
    going = {f"{POST}/{name}" for name in ("plain", "liked", "answeredbyme", "ownanswer")}
    gates = {"app.bsky.feed.threadgate/plain", "app.bsky.feed.postgate/plain"}
    assert set(planned(row)) == going | gates
    assert (row.plan["deletes"], row.plan["gates"]) == (6, 2)
    check_gone(ended(row, clock), owner, before)


# Deleting, and taking it back


def test_the_plan_goes_and_comes_back_key_by_key(owner: Owner, proxy: PdsProxy, clock: Clock) -> None:
    before = many(owner)
    row = ended(confirmed_job(owner, clock), clock)
    check_gone(row, owner, before)
    assert (row.records_deleted, len(owner.repo())) == (MANY, 5)
    back = ended(owner_actions.undo(row, session(owner), requested_by="test")[0], clock)
    assert (back.state, back.reason, owner.repo()) == (State.COMPLETED, "", before)


def test_a_job_that_is_cancelled_halfway_stops_within_a_batch_and_can_be_undone(
    owner: Owner, proxy: PdsProxy, clock: Clock
) -> None:
    before = many(owner)
    row = confirmed_job(owner, clock)
    proxy.after("applyWrites", lambda call: owner_actions.cancel(row))
    row = step(row, clock)
    assert (row.state, len(proxy.asked("applyWrites"))) == (State.CANCELLED, 1)
    gone = {path for path, outcome in outcomes(row).items() if outcome == Outcome.DONE}
    assert len(gone) == row.records_deleted == 200
    assert owner.repo() == {path: cid for path, cid in before.items() if path not in gone}
    assert not PdsSession.objects.exists()
    back = ended(owner_actions.undo(row, session(owner), requested_by="test")[0], clock)
    assert (back.state, back.reason, owner.repo()) == (State.COMPLETED, "", before)


# The owner does something else meanwhile


def test_what_the_owner_edits_or_deletes_meanwhile_is_not_lost(owner: Owner, proxy: PdsProxy, clock: Clock) -> None:
    before = many(owner)
    row = confirmed_job(owner, clock)
    edited, deleted = [f"{POST}/0003", f"{POST}/0300"], [f"{LIKE}/0004", f"{LIKE}/0301"]
    is_first = True

    def act(call: Call) -> None:
        """Once between the check and the first write."""
        nonlocal is_first
        if is_first:
            is_first = False
            for path in edited:
                owner.edit(path, text="Better")
            owner.delete(*deleted)
            owner.create({f"{POST}/new": post("And now?")})

    proxy.before("applyWrites", act)
    row = ended(row, clock)
    after = owner.values()
    assert row.state == State.COMPLETED
    assert {after[path]["text"] for path in edited} == {"Better"}
    assert f"{POST}/new" in after
    assert {path for path in planned(row) if path in after} == set(edited)
    assert row.report["left"] == {"changed": 2}
    assert (row.records_kept, row.records_gone, row.records_deleted) == (2, 2, MANY - 4)
    found = outcomes(row)
    assert {found[path] for path in edited} == {Outcome.CHANGED}
    assert {found[path] for path in deleted} == {Outcome.NEEDLESS}

    back = ended(owner_actions.undo(row, session(owner), requested_by="test")[0], clock)
    assert back.state == State.COMPLETED
    kept = {path: cid for path, cid in before.items() if path not in (*edited, *deleted)}
    assert {path: cid for path, cid in owner.repo().items() if path not in (*edited, f"{POST}/new")} == kept


def test_an_owner_who_never_stops_writing_loses_nothing(owner: Owner, proxy: PdsProxy, clock: Clock) -> None:
    before = many(owner)
    row = confirmed_job(owner, clock)
    edited: set[str] = set()
    numbers = count()

    def act(call: Call) -> None:
        """Edit a record of the call before it is written, and write another."""
        number = next(numbers)
        owner.create({f"{POST}/new{number}": post(f"new {number}")})
        if number < 6:
            write = call.body["writes"][-1] if call.method == "applyWrites" else call.body
            path = f"{write['collection']}/{write['rkey']}"
            owner.edit(path, createdAt=at(1 + number))
            edited.add(path)

    proxy.before("applyWrites", act, times=None)
    row = ended(row, clock)
    assert (row.state, row.report["left"]) == (State.COMPLETED, {"changed": len(edited)})
    after = owner.repo()
    assert edited <= set(after)
    assert {path for path in planned(row) if path in after} == edited
    new = {f"{POST}/new{number}" for number in range(next(numbers))}
    assert set(after) == edited | new | {path for path in before if path not in planned(row)}
    assert len(proxy.asked("deleteRecord")) >= MANY - len(edited) - 10


def test_a_revoked_app_password_stops_the_job_within_five_minutes(owner: Owner, proxy: PdsProxy, clock: Clock) -> None:
    before = many(owner)
    row = confirmed_job(owner, clock)
    revoked_at = None

    def act(call: Call) -> None:
        nonlocal revoked_at
        if revoked_at is None:
            owner.revoke()
            revoked_at = clock()
        clock.move(minutes=3)

    proxy.after("applyWrites", act, times=None)
    row = ended(row, clock)
    assert (row.state, len(proxy.asked("applyWrites"))) == (State.NEEDS_SIGN_IN, 2)
    assert "app password" in row.reason
    assert row.records_deleted == 400
    left = owner.repo()
    assert len(before) - len(left) == 400
    assert not PdsSession.objects.exists()

    proxy.well()
    owner.new_app_password()
    owner_actions.sign_in_again(row, session(owner))
    check_gone(ended(row, clock), owner, before)


@pytest.mark.parametrize(("stop", "go_on"), [("takedown", "untakedown"), ("deactivate", "activate")])
def test_an_account_that_is_away_is_left_alone_until_it_is_back(
    stop: str, go_on: str, owner: Owner, proxy: PdsProxy, clock: Clock
) -> None:
    before = many(owner)
    row = confirmed_job(owner, clock)
    proxy.after("applyWrites", lambda call: owner.event(stop))
    row = ended(row, clock)
    assert row.state == State.NEEDS_SIGN_IN, (row.state, row.reason)
    assert row.records_deleted == 200
    owner.event(go_on)
    owner_actions.sign_in_again(row, session(owner))
    check_gone(ended(row, clock), owner, before)


# A PDS that is ill


def lose(proxy: PdsProxy) -> None:
    """Answers of the first two writes get lost, one before and one after it was made."""
    proxy.fail("applyWrites", cut())
    proxy.lose_answer("applyWrites")


def restart(proxy: PdsProxy) -> None:
    """In the middle of the job nothing is answered for a while, to nobody."""
    proxy.after("applyWrites", lambda call: proxy.fail("*", cut(), times=7))


def ask_to_wait(proxy: PdsProxy) -> None:
    """A 429 after the first write."""
    busy = refused(429, "RateLimitExceeded", "Rate Limit Exceeded", retry_after="90")
    proxy.after("applyWrites", lambda call: proxy.fail("applyWrites", busy, times=2))


def half_downloads(proxy: PdsProxy) -> None:
    """Downloads break off in the middle."""

    def half(call: Call, go_on: Callable[[], Answer]) -> Answer:
        whole = go_on()
        return Answer(whole.status, whole.content, whole.headers, cut_after=len(whole.content) // 2)

    proxy.rule("getRepo", half, times=3)


def refuse_refreshes(proxy: PdsProxy) -> None:
    """The answer of a refresh gets lost after it was made."""
    proxy.lose_answer("refreshSession", times=2)


@pytest.mark.parametrize("ill", [lose, restart, ask_to_wait, half_downloads, refuse_refreshes])
def test_the_job_outlasts_a_pds_that_is_ill(
    ill: Callable[[PdsProxy], None], owner: Owner, proxy: PdsProxy, clock: Clock
) -> None:
    before = many(owner)
    row = confirmed_job(owner, clock)
    ill(proxy)
    check_gone(ended(row, clock), owner, before)


@pytest.mark.parametrize("is_written", [False, True])
def test_an_hour_of_500s_is_waited_out(is_written: bool, owner: Owner, proxy: PdsProxy, clock: Clock) -> None:
    before = many(owner)
    row = confirmed_job(owner, clock)
    began = clock()
    until = clock.now.timestamp() + 3600

    def fail(call: Call, go_on: Callable[[], Answer]) -> Answer | None:
        if clock.seconds() >= until:
            return None
        if is_written:
            go_on()
        return refused(500, "InternalServerError", "Internal Server Error")

    proxy.rule("applyWrites", fail, times=None)
    row = ended(row, clock)
    check_gone(row, owner, before)
    if not is_written:
        assert (clock() - began).total_seconds() >= 3600
        # It was left alone for longer and longer.
        assert len(proxy.asked("applyWrites")) < 15


def test_a_429_that_asks_for_long_is_obeyed(owner: Owner, proxy: PdsProxy, clock: Clock) -> None:
    before = many(owner)
    row = confirmed_job(owner, clock)
    proxy.fail("applyWrites", refused(429, "RateLimitExceeded", "", retry_after="1800"))
    row = step(row, clock)
    assert row.next_at is not None
    assert (row.state, (row.next_at - clock()).total_seconds()) == (State.WAITING, 1800)
    check_gone(ended(row, clock), owner, before)


# A PDS that lies


def test_a_session_of_another_account_is_refused(owner: Owner, network: Network, proxy: PdsProxy, clock: Clock) -> None:
    other = Owner(network, f"other-{owner.name}")

    def another(call: Call, go_on: Callable[[], Answer]) -> Answer:
        answer = go_on()
        assert isinstance(answer.content, bytes)
        answer.content = answer.content.replace(owner.did.encode(), other.did.encode())
        return answer

    proxy.rule("createSession", another)
    with pytest.raises(sign_in.SignInRefused):
        session(owner)

    before = many(owner)
    row = confirmed_job(owner, clock)

    def refreshed(call: Call, go_on: Callable[[], Answer]) -> Answer:
        answer = go_on()
        assert isinstance(answer.content, bytes)
        answer.content = answer.content.replace(owner.did.encode(), other.did.encode())
        return answer

    proxy.rule("refreshSession", refreshed)
    row = step(row, clock)
    assert (row.records_deleted, owner.repo()) == (0, before)


@pytest.mark.parametrize("lie", ["endless", "half", "another's", "no CAR"])
@pytest.mark.parametrize("when", ["plan", "confirmed"])
def test_nothing_is_deleted_by_a_repo_that_is_not_the_accounts(
    lie: str, when: str, owner: Owner, network: Network, proxy: PdsProxy, clock: Clock,
    tmp_path: Path,
) -> None:  # fmt: skip
    before = many(owner)
    other = Owner(network, f"other-{owner.name}")
    other.create({f"{POST}/theirs": post()})
    whole = proxy.repo_of(owner.did)
    owner.edit(f"{POST}/0003", text="Better")
    now = owner.repo()
    given = {
        "endless": whole + b"\x00" * 5_000_000,
        "half": whole[: len(whole) // 2],
        "another's": proxy.repo_of(other.did),
        "no CAR": b"{}",
    }[lie]
    with working.working(tmp_path / "cleanup", proxy.url, repo_max_bytes=2_000_000):
        row = asked(session(owner)) if when == "plan" else confirmed_job(owner, clock)
        proxy.fail("getRepo", Answer(200, given, {"content-type": "application/vnd.ipld.car"}), times=None)
        row = ended(row, clock)
    assert row.state == State.FAILED
    assert (row.records_deleted, owner.repo()) == (0, now)
    assert before.keys() == now.keys()
    assert proxy.asked("applyWrites") == []
    assert not PdsSession.objects.exists()


def test_an_old_copy_of_the_repo_costs_no_edited_record(owner: Owner, proxy: PdsProxy, clock: Clock) -> None:
    """It is the account's and signed; but each write is checked against the newest commit, or the record's own CID."""
    before = many(owner)
    row = confirmed_job(owner, clock)
    old = Answer(200, proxy.repo_of(owner.did), {"content-type": "application/vnd.ipld.car"})
    owner.edit(f"{POST}/0003", text="Better")
    proxy.fail("getRepo", old, times=None)
    row = ended(row, clock)
    after = owner.values()
    assert after[f"{POST}/0003"]["text"] == "Better"
    assert set(after) == {f"{POST}/0003", *(path for path in before if path not in planned(row))}


# The limits of a real PDS


def test_the_limits_of_the_pds_are_kept_and_where_it_says_wait_it_waits(
    limited_network: Network, tmp_path: Path, clock: Clock
) -> None:
    owner = Owner(limited_network, "alice")
    owner.network.ask("POST", "/bulk", account="alice", n=5_300, kind="post", days=300)
    others = {path for path in owner.repo() if not path.startswith(f"{POST}/")}
    with (
        pds_proxy.before_pds(limited_network) as proxy,
        working.working(tmp_path / "cleanup", proxy.url, per_hour=4_000, per_day=30_000),
    ):
        row = step(confirmed(session(owner), clock, rules(RecordType.POST)), clock)
        assert (row.state, row.records_deleted) == (State.WAITING, 4_000)
        assert {call.done for call in proxy.asked("applyWrites")} == {200}
        # An hour passes for the site, but not for the PDS: its own limit ends the next run.
        assert row.next_at is not None
        clock.now = row.next_at
        for _ in range(3):
            if proxy.asked("applyWrites")[-1].done == 200:
                clock.now = max(clock.now, row.next_at or clock.now)
                row = step(row, clock)
        assert proxy.asked("applyWrites")[-1].done == 429
        assert (row.state, row.records_deleted, row.reason) == (State.WAITING, 5_000, "Your server asks to wait.")
        assert row.next_at is not None
        assert 1_800 < (row.next_at - clock()).total_seconds() <= 3_601
        owner_actions.cancel(row)
    left = owner.repo()
    assert others <= set(left)
    assert len(set(planned(row)) & set(left)) == row.records_planned - 5_000
