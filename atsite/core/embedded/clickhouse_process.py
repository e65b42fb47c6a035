"""The process of the embedded ClickHouse: `python -I clickhouse_process.py ROOT`, run by `clickhouse`.

The wheel's extension module is `clickhouse local`. Its statement SYSTEM START LISTEN opens the ports that
ROOT/etc/config.xml names, and it serves for as long as a statement runs: here one that reads a pipe into which nothing
is written.

1. SIGTERM, SIGINT or SIGHUP asks to stop (the tether sends SIGTERM when the supervisor is gone).
2. The pipe is closed; the statement meets its end; the engine writes out what it holds and ends.
3. Meanwhile the clients' sockets are shut down. With one client left the engine would wait 5 seconds and then exit
   without writing out what it holds.

Standard library only, nothing of the project: it starts in a third of a second.
"""

from __future__ import annotations

import ctypes
import importlib.machinery
import importlib.util
import os
import signal
import socket
import stat
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

#: The format of the statements below is the process's default output format, for every client. This is the one with
#: which native and HTTP clients see what a real server would send.
FORMAT = "TabSeparated"
#: `read`: the default would map the file into memory, which a pipe does not allow.
SERVE = """
SYSTEM START LISTEN TCP;
SYSTEM START LISTEN HTTP;
SELECT * FROM file('/dev/fd/{pipe}', LineAsString) SETTINGS storage_file_read_method = 'read'
"""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
#: The engine ends within a second. The supervisor waits 20 s before it kills; this comes first, to say so.
STOP_SECONDS = 15.0
CLIENT_POLL_SECONDS = 0.05


def load_engine() -> Any:
    """The wheel's extension module, without its package (which would import pandas and pyarrow)."""
    spec = importlib.machinery.PathFinder.find_spec("chdb")
    if spec is None or not spec.submodule_search_locations:
        sys.exit("The package chdb-core is not installed.")
    package = spec.submodule_search_locations[0]
    library = str(Path(package) / "_chdb.abi3.so")
    if sys.platform == "linux":
        # The engine brings its own libc++ and jemalloc; DEEPBIND makes it use them and not the interpreter's.
        ctypes.CDLL(library, mode=sys.getdlopenflags() | os.RTLD_DEEPBIND)
    loader = importlib.machinery.ExtensionFileLoader("_chdb", library)
    module_spec = importlib.util.spec_from_loader("_chdb", loader)
    assert module_spec is not None
    before = Path.cwd()
    os.chdir(package)  # it looks for its helper libraries in the working directory
    try:
        module = importlib.util.module_from_spec(module_spec)
        loader.exec_module(module)
    finally:
        os.chdir(before)
    return module


class Engine:
    """The engine, serving in its own thread; `ended_fd` gets a byte when it ends for any reason."""

    def __init__(self, data: Path, ended_fd: int) -> None:
        self._module = load_engine()
        self._module.set_signal_handlers_enabled(0)  # signals are for the main thread
        self._data = data
        self._ended_fd = ended_fd
        self._read_end, self._write_end = os.pipe()
        self._thread = threading.Thread(target=self._serve, name="clickhouse")
        self.has_ended = False
        self.error = ""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> bool:
        """Stop it. Returns whether it ended."""
        os.close(self._write_end)
        deadline = time.monotonic() + STOP_SECONDS
        while self._thread.is_alive() and time.monotonic() < deadline:
            disconnect_clients()
            self._thread.join(CLIENT_POLL_SECONDS)
        return not self._thread.is_alive()

    def _serve(self) -> None:
        """Run until the pipe is closed. A failed start (a taken port, a locked directory) only returns early."""
        try:
            result = self._module.query(SERVE.format(pipe=self._read_end), FORMAT, path=str(self._data))
            if result.has_error():
                self.error = result.error_message()
        except Exception as error:
            self.error = repr(error)
        finally:
            self.has_ended = True
            os.write(self._ended_fd, b"!")


def disconnect_clients() -> None:
    """Shut down every connection of this process, those it made to other servers too: it is about to end."""
    for entry in Path("/dev/fd").iterdir():
        descriptor = int(entry.name)
        with suppress(OSError):  # the descriptor may be gone by now, or be a socket that only listens
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                continue
            with socket.socket(fileno=os.dup(descriptor)) as connection:
                if connection.family in (socket.AF_INET, socket.AF_INET6):
                    connection.getpeername()
                    connection.shutdown(socket.SHUT_RDWR)


def wake_on_signals(write_end: int) -> None:
    """Make each stop signal write a byte to `write_end`: safe at any time and in any thread."""
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end)
    for number in STOP_SIGNALS:
        signal.signal(number, ignore)


def ignore(_number: int, _frame: object) -> None:
    """Does nothing: the byte in the pipe is enough."""


def main(root: Path) -> int:
    """Serve until a signal; 0 after a clean stop, 1 when the engine ended by itself or did not end."""
    wake_read, wake_write = os.pipe()
    wake_on_signals(wake_write)
    os.chdir(root / "etc")  # the engine reads ./config.xml
    engine = Engine(root / "data", wake_write)
    engine.start()
    os.read(wake_read, 1)
    if engine.has_ended:
        report(engine.error or "The engine ended by itself.")
        return 1
    if not engine.stop():
        report(f"The engine did not end within {STOP_SECONDS:.0f} s.")
        return 1
    return 0


def report(text: str) -> None:
    """To the log of this process's output."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    # Not sys.exit, which would wait for the thread of an engine that does not end.
    os._exit(main(Path(sys.argv[1])))
