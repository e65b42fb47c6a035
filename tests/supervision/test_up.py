"""`manage.py demo` as a newcomer runs it, on free ports and in a new directory."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
import redis

from atsite.core.clock import now_us
from atsite.core.config import BASE_DIR
from tests.indexer.simulator.jetstream import MemorySource, simulated_jetstream
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

#: What this test session said of its own stores is not for the site under test.
NOT_INHERITED = ("ATSITE_ENVIRONMENT", "CLICKHOUSE_", "REDIS_ADDRESS", "DATA_DIR", "METRICS_PORT", "DATABASE_URL")


def processes_of(data_dir: Path) -> dict[int, str]:
    """Every process of the site with this data directory, by its environment or its command line."""
    listed = subprocess.run(["ps", "axeww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    found = (line.strip().partition(" ") for line in listed.splitlines() if str(data_dir) in line)
    return {int(pid): arguments for pid, _, arguments in found}


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A new data directory; whatever a failed test left running on it is killed."""
    yield tmp_path / "data"
    kill_processes_of(tmp_path)


def kill_processes_of(folder: Path) -> None:
    """Kill what runs on a data directory in this folder."""
    for pid in processes_of(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def command(name: str, data_dir: Path, *options: str, umask: int = 0o022) -> subprocess.Popen[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(NOT_INHERITED)}
    return subprocess.Popen(
        [sys.executable, "manage.py", name, "--free-ports", *options],
        cwd=BASE_DIR,
        env={**environment, "DATA_DIR": str(data_dir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        umask=umask,
    )


def modes(data_dir: Path) -> dict[str, tuple[str, str]]:
    """Every directory and file of a data folder: what it is, and who may do what with it."""
    found = {}
    for path in (data_dir, *data_dir.rglob("*")):
        with suppress(FileNotFoundError):  # the stores write and delete meanwhile
            mode = path.lstat().st_mode
            kind = "directory" if stat.S_ISDIR(mode) else "program" if mode & 0o111 else "file"
            if not stat.S_ISLNK(mode):
                found[str(path.relative_to(data_dir))] = (kind, oct(stat.S_IMODE(mode)))
    return found


def test_every_file_of_a_running_site_is_its_users_alone_whatever_the_umask_and_whoever_made_it(
    data_dir: Path,
) -> None:
    lax = [data_dir / name for name in ("atsite.sqlite3", "log/feedgen.log", "clickhouse/data/old", "valkey/data/old")]
    for path in lax:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (data_dir / "program").touch()
    for path in (data_dir, *data_dir.rglob("*")):
        path.chmod(0o777 if path.is_dir() or path.name == "program" else 0o666)
    with command("demo", data_dir, umask=0) as demo:
        assert demo.stdout is not None
        read_until(demo.stdout, r"as `admin` with the password")
        stores = json.loads((data_dir / "stores.json").read_text())
        with redis.Redis.from_url(stores["redis_address"]) as valkey:
            valkey.save()
        until(lambda: list(data_dir.glob("beat-schedule*")))  # its suffix is the library's
        found = modes(data_dir)
        demo.send_signal(signal.SIGINT)
        demo.communicate()
    expected = {"directory": "0o700", "program": "0o700", "file": "0o600"}
    assert {name: mode for name, (kind, mode) in found.items() if mode != expected[kind]} == {}
    assert found["program"][0] == "program"
    assert found.keys() >= {
        *("atsite.sqlite3", "atsite.sqlite3-wal", "atsite.sqlite3-shm", "secret_key", "admin_password", "stores.json"),
        *("valkey/data/dump.rdb", "valkey/data/appendonlydir", "valkey/etc/password", "valkey/lock"),
        *("clickhouse/etc/users.xml", "clickhouse/etc/password", "clickhouse/log/server.log", "clickhouse/lock"),
        *("log/demo.log", "log/feedgen.log", "log/worker.log"),
    }
    assert [name for name in found if name.startswith("clickhouse/data/store/") and name.endswith(".bin")]
    after = modes(data_dir)
    assert {name: mode for name, (kind, mode) in after.items() if mode != expected[kind]} == {}


def read_until(stream: IO[str], pattern: str) -> tuple[str, re.Match[str]]:
    """What was written up to the line that matches, and the match."""
    seen = ""
    for line in stream:
        seen += line
        if match := re.search(pattern, line):
            return seen, match
    raise AssertionError(f"the output ended without {pattern}:\n{seen}")


def test_the_demo_serves_a_full_page_and_leaves_nothing_behind_but_its_data(data_dir: Path) -> None:
    with command("demo", data_dir) as demo:
        assert demo.stdout is not None
        said, found = read_until(demo.stdout, r"curl -s '(.+)'")
        with urllib.request.urlopen(found[1], timeout=10) as answer:
            posts = [item["post"] for item in json.load(answer)["feed"]]
        assert (len(posts), len(set(posts))) == (50, 50)
        _, login = read_until(demo.stdout, r"as `admin` with the password `(.+)` \(kept in (.+)\)")
        assert Path(login[2]).read_text() == login[1]
        assert Path(login[2]).stat().st_mode & 0o077 == 0
        assert (data_dir / "stores.json").stat().st_mode & 0o077 == 0
        demo.send_signal(signal.SIGINT)
        rest, _ = demo.communicate()
    assert demo.returncode == 0, said + rest
    assert rest.endswith(f"stopping …\nstopped; the data is kept in {data_dir}\n")
    assert not (data_dir / "stores.json").exists()
    assert processes_of(data_dir) == {}

    with command("demo", data_dir, "--once") as again:
        output, _ = again.communicate()
    assert (again.returncode, "the first feed has a page of 50" in output) == (0, True), output
    assert login[1] in output

    with command("up", data_dir) as other:
        output, _ = other.communicate()
    assert (other.returncode, "holds the data of `demo`" in output) == (1, True), output


def test_up_begins_where_it_is_told_and_later_where_it_stopped(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cursors() -> list[int]:
        return [int(request.rpartition("cursor=")[2]) for request in jetstream.server.requests]

    begin = now_us() - 3_600_000_000
    with simulated_jetstream(MemorySource()) as jetstream:
        monkeypatch.setenv("WS_URL", jetstream.url)
        for options in (("--from", str(begin)), (), ("--from-live",)):
            asked = len(cursors())
            with command("up", data_dir, *options) as up:
                until(lambda asked=asked: len(cursors()) > asked or up.poll() is not None)  # type: ignore[misc]
                up.send_signal(signal.SIGINT)
                output, _ = up.communicate()
            assert up.returncode == 0, output
        with command("up", data_dir, "--from", str(begin * 1000)) as up:
            output, _ = up.communicate()

    # A start goes on a minute before its checkpoint.
    assert cursors()[:2] == [begin - 60_000_000] * 2
    assert cursors()[2] > begin + 3_500_000_000
    assert up.returncode != 0
    assert f"argument --from: {begin * 1000} is in nanoseconds" in output


def test_kill_9_of_the_demo_leaves_no_process(data_dir: Path) -> None:
    with command("demo", data_dir) as demo:
        assert demo.stdout is not None
        read_until(demo.stdout, r"indexer running")
        assert len(processes_of(data_dir)) > 10
        demo.kill()
    until(lambda: processes_of(data_dir) == {})
