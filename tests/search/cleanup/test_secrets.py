"""After clean-ups of all kinds, none of their secrets is anywhere; a planted one is found in each place and form."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command

from atsite.core import kv
from atsite.core.clickhouse import door
from atsite.core.config import config
from search.cleanup.models import RepoCleanupJob
from search.cleanup.states import State
from tests.feeds.collector import Collector, collecting
from tests.search.cleanup import secret_search
from tests.search.cleanup.engine.world import World, a_world, posts
from tests.search.cleanup.pds_server import cut, refused
from tests.search.service import running
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.search.cleanup.pds_server import Answer, Call

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

CLEANUP = "/repo/cleanup"


@dataclass
class Site:
    """A search service, a worker in this process, and all secrets that came by."""

    world: World
    client: httpx.Client
    collector: Collector
    printed: Path
    #: What the API answered, but for the answers that have a token.
    answers: list[bytes] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    def watch(self) -> None:
        """Note each token that the PDS gives out."""

        def note(call: Call, go_on: Any) -> Answer:
            answer: Answer = go_on()
            if isinstance(answer.content, dict) and "accessJwt" in answer.content:
                for name in ("accessJwt", "refreshJwt"):
                    token = answer.content[name]
                    self.secrets[f"{name} {len(self.secrets)}"] = token
                    self.secrets[f"signature of {name} {len(self.secrets)}"] = token.rpartition(".")[2]
            return answer

        for method in ("createSession", "refreshSession"):
            self.world.server.rule(method, note, times=None)

    def ask(self, method: str, path: str, token: str = "", **body: Any) -> dict[str, Any]:
        """Call the API; a token in the answer is a secret."""
        headers = {"X-Cleanup-Token": token} if token else {}
        response = self.client.request(method, path, headers=headers, json=body or None)
        content: dict[str, Any] = response.json()
        if "token" in content:
            self.secrets[f"token {len(self.secrets)}"] = content.pop("token")
            return {**content, "token": list(self.secrets.values())[-1]}
        self.answers.append(response.content)
        return content

    def sign_in(self) -> dict[str, str]:
        """What a sign-in sends."""
        account = self.world.account
        self.secrets[f"app password {account.app_password[:4]}"] = account.app_password
        return {"identifier": account.handle, "app_password": account.app_password}

    def job(self, job_id: str) -> RepoCleanupJob:
        found: RepoCleanupJob = RepoCleanupJob.objects.get(job_id=job_id)
        return found

    def places(self, more: Iterator[tuple[str, bytes]] | None = None) -> Iterator[tuple[str, bytes]]:
        """All that the site keeps, prints, sends and answers."""
        printed = self.printed.read_bytes()
        assert b"repo/cleanup" in printed or b"search" in printed
        told = [("traces", body) for body in self.collector.bodies]
        assert told
        return chain(
            secret_search.database(),
            secret_search.clickhouse(),
            secret_search.redis(),
            secret_search.files(config.data_dir),
            [("the service's output", printed), *told],
            [("an answer of the API", answer) for answer in self.answers],
            more or (),
        )


@contextmanager
def a_site(tmp_path: Path) -> Iterator[Site]:
    printed = tmp_path / "printed"
    with collecting() as collector, a_world(config.cleanup.folder) as world:
        url = world.server.url
        addresses = {"PLC_URL": url, "HANDLE_RESOLVER_URL": url, "APPVIEW_URL": url}
        for service in running(output=printed, **addresses, **collector.variables):
            yield Site(world, service.client, collector, printed)


def clean_up(site: Site) -> None:
    """A clean-up with all that can go wrong, its backup, and its undo."""
    world, account = site.world, site.world.account
    account.repo.write(posts(450))
    types = ["post", "reply", "quote", "like"]
    wrong: dict[str, Any] = {"identifier": account.handle, "app_password": "abcd-wxyz-1234-5678"}
    site.secrets["a wrong app password"] = wrong["app_password"]
    rules: dict[str, Any] = {"cleanup_types": types, "delete_until_days_ago": 30}
    assert "error" in site.ask("POST", CLEANUP, **wrong, **rules)
    started = site.ask("POST", CLEANUP, **site.sign_in(), **rules, actually_delete_stuff=True)
    assert "token" in started, started
    token, job = started["token"], site.job(started["job_id"])
    path = f"{CLEANUP}/{job.job_id}"
    job = world.step(job)
    assert job.state == State.PLANNED, job.reason
    assert "error" in site.ask("POST", f"{path}/confirm", "x" * 43, plan_digest=job.plan_digest)
    site.ask("POST", f"{path}/confirm", token, plan_digest=job.plan_digest)
    world.clock.move(minutes=11)

    def echo(call: Call, go_on: Any) -> Answer:
        return refused(500, "InternalServerError", f"cannot do this with {call.authorization}")

    world.server.rule("applyWrites", echo)
    world.server.lose_answer("applyWrites")
    world.server.fail("refreshSession", cut())
    world.server.after("applyWrites", lambda _: world.clock.move(minutes=6), times=None)
    for _ in range(6):
        job = world.step(job)
        world.clock.move(minutes=30)
    world.server.revoke_app_passwords(account)
    if job.is_active:
        job = world.to_end(job)
        assert job.state == State.NEEDS_SIGN_IN, job.reason
        world.server.new_app_password(account)
        site.ask("POST", f"{path}/sign-in", token, **site.sign_in())
        job = world.to_end(job)
    world.server.new_app_password(account)
    assert job.state == State.COMPLETED, job.reason
    site.ask("GET", f"{CLEANUP}?job_id={job.job_id}", token)
    undo = site.ask("POST", f"{path}/undo", token, **site.sign_in())
    assert "token" in undo, undo
    undone = world.to_end(site.job(undo["job_id"]))
    assert undone.state == State.COMPLETED, undone.reason
    assert len(account.repo.keys) == 450


def test_no_secret_of_a_clean_up_is_left_anywhere(
    tmp_path: Path, clickhouse: None, valkey: object, capfd: pytest.CaptureFixture[str]
) -> None:
    with a_site(tmp_path) as site:
        site.watch()
        clean_up(site)
        call_command("publish", verbosity=0)
        worker = capfd.readouterr()
        more = [("the worker's output", (worker.out + worker.err).encode())]
        assert len(site.secrets) > 12
        assert secret_search.leaks(site.secrets, site.places(iter(more))) == set()
        assert "cleanup.step" in worker.out + worker.err


def test_a_planted_secret_is_found_in_each_place_and_form(tmp_path: Path, clickhouse: None, valkey: object) -> None:
    secret = 'planted "secret"/with+signs'
    with a_site(tmp_path) as site:
        for form, needle in secret_search.forms(secret).items():
            place = ("here", b"before " + needle + b" behind")
            assert ("it", form, "here") in secret_search.leaks({"it": secret}, [place])
        # Of a request the spans tell neither the query nor the headers.
        site.client.get("/", params={"planted": secret}, headers={"x-planted": secret})
        until(lambda: bool(site.collector.bodies), "the request is traced")
        assert found_in(site, secret) == set()
        site.collector.bodies.append(secret.encode())
        about = {"did": site.world.account.did, "types": ["like"], "cut_off": site.world.clock.now}
        RepoCleanupJob.objects.create(**about, reason=secret)
        kv.client().hset("planted", "secret", secret)
        door.insert("repo_cleanup_jobs", {"job_id": ["x"], "did": [secret], "time_us": [1]}, name="tests.plant")
        (config.data_dir / "planted").write_text(secret)
        site.answers.append(secret.encode())
        assert found_in(site, secret) >= {"table", "ClickHouse", "Redis", "file", "traces", "an"}
        (config.data_dir / "planted").unlink()


def found_in(site: Site, secret: str) -> set[str]:
    """The first words of the places that have it."""
    return {where.split()[0] for _, _, where in secret_search.leaks({"it": secret}, site.places())}
