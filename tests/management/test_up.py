from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connections

from atsite.core.config import BASE_DIR
from atsite.core.config.secret_values import secret_key
from atsite.management.commands.up import Command
from atsite.supervision.children import Ports, Site

#: What this test session said of its own site is not for the one under test.
INHERITED = ("PATH", "HOME", "LANG", "PYTHONPATH", "SYSTEMROOT")


def no_space() -> None:
    """In the child: no file can get any content."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def up(data_dir: Path, *options: str, command: str = "up", **variables: str) -> tuple[int, str]:
    """Run `manage.py up` where it must fail at once; its exit code and what it said."""
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    done = subprocess.run(
        [sys.executable, "manage.py", command, *options],
        cwd=BASE_DIR,
        env={**environment, "DATA_DIR": str(data_dir), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=no_space if variables.pop("ATSITE_TEST_NO_SPACE", "") else None,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_outside_production_no_other_machine_can_reach_the_site(tmp_path: Path, host: str) -> None:
    code, said = up(tmp_path / "data", LISTEN_HOST=host)
    assert code == 1
    assert said.startswith(f"CommandError: LISTEN_HOST={host} lets other machines reach this site, and ATSITE_ENV")
    assert "--listen-publicly" in said
    assert "Traceback" not in said
    assert not (tmp_path / "data" / "clickhouse").exists()


def test_on_a_trusted_network_a_flag_allows_it(tmp_path: Path) -> None:
    """Not loopback: with the flag, the start goes on to the next thing that is wrong."""
    (tmp_path / "purpose").write_text("demo")
    code, said = up(tmp_path, "--listen-publicly", "--free-ports", LISTEN_HOST="0.0.0.0")
    assert (code, "holds the data of `demo`" in said) == (1, True), said


@pytest.mark.parametrize("command", ["up", "run_indexer"])
def test_a_service_listens_on_an_address(tmp_path: Path, command: str) -> None:
    code, said = up(tmp_path, command=command, LISTEN_HOST="nonsense")
    assert (code, "Traceback" in said) == (1, False)
    assert "LISTEN_HOST='nonsense' is not an address to listen on." in said
    assert "Set it to an IP address of this machine, or localhost." in said


@pytest.mark.parametrize(
    ("command", "options", "sentence"),
    [
        ("run_search", ("--host", "nonsense"), "--host nonsense: expected an IP address of this machine, or localhost"),
        ("simulate_jetstream", ("--port", "65536"), "'65536' is not a port: expected a whole number from 0 to 65535"),
        ("run_indexer", (), "CommandError: a database does not answer: "),
        ("schema", ("create", "x y/../z"), "error: 'x y/../z' is not a valid migration name: use lowercase letters, "),
    ],
)
def test_what_a_command_cannot_do_is_a_sentence(
    tmp_path: Path, command: str, options: tuple[str, ...], sentence: str
) -> None:
    code, said = up(tmp_path, *options, command=command, CLICKHOUSE_ADDRESS="127.0.0.1:1")
    assert (code in (1, 2), "Traceback" in said) == (True, False), said
    assert sentence in said


def test_in_production_up_needs_the_host_names_that_its_services_answer(tmp_path: Path) -> None:
    code, said = up(tmp_path, "--free-ports", ATSITE_ENVIRONMENT="production", SECRET_KEY="s" * 40)
    assert (code, said) == (
        1,
        "CommandError: ALLOWED_HOSTS is empty. In production, the services then refuse every request."
        " Set it to the host names of this site, separated by commas.\n",
    )


def unusable(data_dir: Path, command: str, **variables: str) -> str:
    """What the command says: one sentence, and no traceback."""
    code, said = up(data_dir, "--free-ports", command=command, **variables)
    assert code == 1, said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("command", ["up", "demo"])
@pytest.mark.parametrize("variables", [{}, {"SECRET_KEY": "s" * 40}], ids=["no key", "a key"])
def test_a_file_in_place_of_the_data_folder_is_a_sentence(
    tmp_path: Path, command: str, variables: dict[str, str]
) -> None:
    """Without SECRET_KEY its file is the first thing that is written there."""
    path = tmp_path / "data"
    path.write_text("a file")
    assert f"{path}" in unusable(path, command, **variables)
    assert f"{path}" in unusable(path / "below", command, **variables)
    assert path.read_text() == "a file"


def test_a_data_folder_that_cannot_be_made_is_a_sentence() -> None:
    """Not even root makes a folder there."""
    path = Path("/proc/atsite/data")
    said = unusable(path, "up")
    assert said.startswith(
        f"configuration: the data folder {path} cannot be used: No such file or directory. Make it a"
    )
    assert f"{path}" in unusable(path, "up", SECRET_KEY="s" * 40)


def test_a_command_that_fails_makes_only_folders_of_its_user(tmp_path: Path) -> None:
    folders = (tmp_path / "data", tmp_path / "data" / "demo")
    code, said = up(folders[1], "nobody.demo.test", command="viewer_token")
    assert (code, said.startswith("CommandError: there is no demo network in ")) == (1, True), said
    assert [oct(folder.stat().st_mode & 0o777) for folder in folders] == ["0o700", "0o700"]


def test_a_full_disk_is_a_sentence_and_leaves_no_half_written_key(tmp_path: Path) -> None:
    """A limit of no bytes per file, as a full disk refuses them."""
    said = unusable(tmp_path, "demo", ATSITE_TEST_NO_SPACE="1")
    assert said.startswith(f"configuration: the data folder {tmp_path} cannot be used: File too large. ")
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_a_full_disk_left_empty_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()
    key = secret_key({}, "development", tmp_path)
    assert len(key) > 32
    assert secret_key({}, "development", tmp_path) == key
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_just_alone_lists_the_recipes_also_without_just_on_the_path() -> None:
    done = subprocess.run(
        ["./just"], cwd=BASE_DIR, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Available recipes:\n    demo *options")


@pytest.mark.django_db
def test_up_says_how_to_make_the_first_user_of_the_admin_until_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "close_all", lambda: None)  # the test's transaction is on one of them
    site = Site("up", tmp_path, "127.0.0.1", Ports(), {}, simulated=False)
    User.objects.create_user("reader")
    assert Command().prepare(site) == (
        "\n  The admin has no user yet. Create the first one, with the same variables as here:"
        "\n  .venv/bin/python manage.py createsuperuser"
    )
    User.objects.create_superuser("operator")
    assert Command().prepare(site) == ""
