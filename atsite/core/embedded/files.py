"""The small files of a store's directory: password, ports of the last start, lock, output."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
from pathlib import Path

from atsite.core.embedded.errors import DataDirectoryInUse
from atsite.core.private_directory import make_private_directory as make_private_directory

OWNER_ONLY = 0o600
#: The umask of processes that write into a data directory.
UMASK = 0o077
#: 128 bits cannot be guessed, and hexadecimal needs no quoting in any configuration format.
PASSWORD_BYTES = 16


def make_private(root: Path, *, leave_out: frozenset[str] = frozenset()) -> None:
    """Restrict `root` and everything below it to its owner: directories and executables 0700, other files 0600.

    Skips files of other users, and entries of `root` with a name in `leave_out`.
    """
    for directory, names, file_names in os.walk(root):
        here = Path(directory)
        if here == root:
            names[:] = [name for name in names if name not in leave_out]
        for path in (here, *(here / name for name in file_names)):
            make_one_private(path)


def make_one_private(path: Path) -> None:
    """Do the same for one directory or file, if it exists."""
    try:
        found = path.lstat()
        if stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode):
            private = found.st_mode & 0o700 | (0o700 if stat.S_ISDIR(found.st_mode) else OWNER_ONLY)
            if stat.S_IMODE(found.st_mode) != private:
                path.chmod(private)
    except (FileNotFoundError, PermissionError):  # gone meanwhile, or another user's
        return


def append_private(path: Path) -> int:
    """Open `path` (mode 0600) for appending; the caller closes it."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, OWNER_ONLY)


def write_private(path: Path, text: str) -> None:
    """Write `text` to a file of mode 0600, atomically."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)


def password_of(path: Path) -> str:
    """The password in `path`, generated on the first call."""
    if not path.exists():
        write_private(path, secrets.token_hex(PASSWORD_BYTES))
    return path.read_text().strip()


def remembered_ports(path: Path) -> dict[str, int]:
    """The store's ports of the last start; empty if the file is missing or invalid."""
    try:
        ports = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return {name: port for name, port in ports.items() if isinstance(port, int)} if isinstance(ports, dict) else {}


def remember_ports(path: Path, ports: dict[str, int]) -> None:
    """Keep `ports` for the next start."""
    write_private(path, json.dumps(ports))


def take_lock(path: Path, *, name: str, directory: Path) -> int:
    """An open file that holds the lock of `directory`; any process that has it open holds it, so the store inherits it.

    The kernel releases it when the last holder ends, for any reason. Raises DataDirectoryInUse.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
        os.close(descriptor)
        raise DataDirectoryInUse(
            f"{directory} is in use: {name} runs on it as process {holder or 'unknown'}."
            " Stop that one first, or choose another directory."
        ) from None
    return descriptor


def sign_lock(descriptor: int, pid: int) -> None:
    """Write the holder's process id into the lock file, for the message to a second process."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{pid}\n".encode(), 0)


def tail(path: Path, *, start: int, limit: int = 2000) -> str:
    """What was written to `path` after byte `start`: its last `limit` characters, without surrounding whitespace."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read().decode(errors="replace").strip()[-limit:]
    except OSError:
        return ""


def size_of(path: Path) -> int:
    """The length of a file in bytes, 0 where there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
