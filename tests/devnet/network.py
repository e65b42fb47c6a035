"""The network on loopback: installed once into a cache, started for the session, and asked over HTTP.

The folder it comes from is read-only; its `start.sh` installs what is missing beside itself (Node and the servers from
npm: two minutes), so it runs in a copy that stays.
"""

from __future__ import annotations

import fcntl
import filecmp
import json
import shutil
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

from atsite.core.atproto.syntax import Did
from atsite.core.config import BASE_DIR
from atsite.core.embedded.child import Child
from atsite.core.embedded.ports import free_port
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CACHE: Final = BASE_DIR / ".data" / "devnet"
#: What decides which versions get installed.
VERSIONS: Final = ("package-lock.json", "requirements.txt", "setup.sh")
#: What a network installs, or leaves behind, in its folder.
INSTALLED: Final = ("node_modules", "rt", ".venv", "__pycache__")
#: The first start compiles a part of the servers.
INSTALL_SECONDS: Final = 400
START_SECONDS: Final = 180
PORTS: Final = ("CONTROL", "PLC", "PDS", "APPVIEW", "OZONE", "PG", "REDIS")


@dataclass(frozen=True)
class Account:
    """Someone on the network. `token` is that of an app's session at the PDS."""

    did: Did
    handle: str
    app_password: str
    token: str


#: did -> collection -> at-uri -> {"uri", "cid", "value"}.
Truth = dict[str, dict[str, dict[str, dict[str, Any]]]]


class Network:
    """A running network."""

    def __init__(self, info: Mapping[str, Any], jetstream_url: str) -> None:
        self.control = httpx.Client(base_url=info["controlUrl"], timeout=120)
        self.pds = httpx.Client(base_url=info["pdsUrl"], timeout=30)
        self.appview = httpx.Client(base_url=info["appviewUrl"], timeout=30)
        self.plc_url = str(info["plcUrl"])
        self.appview_did = str(info["appviewDid"])
        self.jetstream_url = jetstream_url
        self._accounts = {account.handle: account for account in map(_account, info["accounts"])}

    def close(self) -> None:
        for client in (self.control, self.pds, self.appview):
            client.close()

    @property
    def pds_url(self) -> str:
        return str(self.pds.base_url).rstrip("/")

    @property
    def appview_url(self) -> str:
        return str(self.appview.base_url).rstrip("/")

    def account(self, name: str) -> Account:
        """The account of this name, made now where there is none."""
        handle = f"{name}.test"
        if handle not in self._accounts:
            self._accounts[handle] = _account(self.ask("POST", "/account", name=name))
        return self._accounts[handle]

    def ask(self, method: str, path: str, **content: Any) -> Any:
        """The network's own control."""
        response = self.control.request(method, path, json=content if method == "POST" else None)
        assert response.status_code == 200, f"{method} {path}: {response.status_code} {response.text}"
        return response.json()

    def act(self, account: str, kind: str, n: int = 1, **content: Any) -> list[str]:
        """Let someone do something `n` times; the at-uris of the records."""
        done = self.ask("POST", "/activity", account=account, n=n, kinds=[kind], **content)
        return [action["uri"] for action in done["actions"]]

    def settle(self) -> None:
        """Return when the AppView has seen all that happened."""
        self.ask("POST", "/process-all")

    def truth(self) -> Truth:
        """Every record that every account's PDS holds now; of an account that is away there is none."""
        held = self.ask("GET", "/truth?values=1")
        return {
            did: {name: {record["uri"]: record for record in records} for name, records in collections.items()}
            for did, collections in held.items()
            if "error" not in collections
        }

    def records(self, collection: str) -> dict[str, dict[str, Any]]:
        """at-uri -> value, of all accounts."""
        return {
            uri: record["value"]
            for collections in self.truth().values()
            for uri, record in collections.get(collection, {}).items()
        }

    def service_token(self, account: str, *, aud: str, lxm: str) -> str:
        """What someone's PDS signs for a service."""
        return str(self.ask("POST", "/service-auth", account=account, aud=aud, lxm=lxm)["token"])


def _account(content: Mapping[str, Any]) -> Account:
    return Account(Did(content["did"]), content["handle"], content["appPassword"], content["accessJwt"])


@contextmanager
def running(source: Path, **settings: str) -> Iterator[Network]:
    """A network made of the folder `source`, and its Jetstream; it ends with this process, whatever ends that.

    `settings`: more environment of its start.sh.
    """
    folder = installed(source)
    # Not pytest's folder: Postgres runs as another user, and looks into this one.
    home = Path(tempfile.mkdtemp(prefix="atsite-devnet-"))
    home.chmod(0o755)
    ports = {name: free_port() for name in PORTS}
    environment = {**settings, **{f"LAB_{name}_PORT": str(port) for name, port in ports.items()}}
    log = home / "network.log"
    network = Child.spawn(
        [str(folder / "start.sh")], output=log, environment={**environment, "LAB_RUN_DIR": str(home / "run")}
    )
    try:
        info = _await_info(network, home / "run" / "network.json", log)
        with _jetstream(folder, home, info["firehose"]) as url:
            running = Network(info, url)
            try:
                yield running
            finally:
                running.close()
    finally:
        network.stop()
        shutil.rmtree(home, ignore_errors=True)


def installed(source: Path) -> Path:
    """The copy of `source` that has everything; made once for each set of versions."""
    versions = sha256(b"".join((source / name).read_bytes() for name in VERSIONS)).hexdigest()[:16]
    folder = CACHE / versions
    folder.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{versions}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ignored = shutil.ignore_patterns(*INSTALLED)
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=ignored, copy_function=_copy_changed)
        log = folder / "setup.log"
        log.unlink(missing_ok=True)
        setup = Child.spawn([str(folder / "setup.sh")], output=log)
        try:
            code = setup.process.wait(INSTALL_SECONDS)
        finally:
            setup.stop()
        assert code == 0, f"the network cannot be installed:\n{log.read_text()}"
    return folder


def _copy_changed(source: str, target: str) -> None:
    """Another session's network may be running from the copy: what is there already stays untouched."""
    if not (Path(target).exists() and filecmp.cmp(source, target, shallow=False)):
        shutil.copy2(source, target)


def _await_info(network: Child, path: Path, log: Path) -> dict[str, Any]:
    info: dict[str, Any] = {}

    def is_told() -> bool:
        assert network.process.poll() is None, f"the network ended:\n{log.read_text()}"
        with suppress(OSError, ValueError):  # not there, or not all of it
            info.update(json.loads(path.read_text()))
        return bool(info)

    until(is_told, lambda: f"the network starts:\n{log.read_text()}", seconds=START_SECONDS)
    return info


def answers(url: str) -> bool:
    """Whether a server answers at `url`, whatever it says."""
    with suppress(httpx.TransportError):
        httpx.get(url)
        return True
    return False


@contextmanager
def _jetstream(folder: Path, home: Path, firehose: str) -> Iterator[str]:
    port = free_port()
    command = [str(folder / ".venv/bin/python"), str(folder / "jetstream_shim.py"), "--port", str(port)]
    child = Child.spawn([*command, "--firehose", firehose], output=home / "jetstream.log")
    try:
        until(lambda: answers(f"http://127.0.0.1:{port}/_stats"), (home / "jetstream.log").read_text)
        yield f"ws://localhost:{port}/subscribe"
    finally:
        child.stop()
