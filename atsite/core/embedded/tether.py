"""Starts a store that ends together with its parent process, even if the parent is killed with -9.

    python -I -S tether.py WATCH_FD GRACE_SECONDS COMMAND...

1. The supervisor holds the write end of a pipe and never writes; WATCH_FD is its read end. Whatever ends the
   supervisor, the kernel closes the write end, and reading WATCH_FD answers "end of file".
2. This program leaves a small watcher behind that waits for just that, and becomes COMMAND (execv): process id, exit
   code and signals are the store's own.
3. On end of file the watcher sends SIGTERM, and SIGKILL when the store has not ended after GRACE_SECONDS.
4. The watcher ends with the store: a second pipe, open in the store alone, tells it that the store is gone.

Works on every POSIX system. It is run by file and imports the standard library only, so that it starts in 20 ms.
"""

from __future__ import annotations

import os
import select
import signal
import sys


def main(watch_fd: int, grace_seconds: float, command: list[str]) -> None:
    """Start the watcher, then become `command`."""
    store_pid = os.getpid()
    alive_read, alive_write = os.pipe()
    if os.fork() == 0:
        # The second fork makes the watcher a child of init: the store never has to collect a child it does not know.
        if os.fork() == 0:
            _detach(keep={watch_fd, alive_read})
            _watch(store_pid, watch_fd, alive_read, grace_seconds)
        os._exit(0)
    os.wait()
    os.close(watch_fd)
    os.close(alive_read)
    os.set_inheritable(alive_write, True)
    os.execv(command[0], command)  # noqa: S606 - the command is the supervisor's own


def _detach(keep: set[int]) -> None:
    """Leave the store's process group (its signals are not for the watcher) and close all of its files.

    They include the lock of the data directory, which must not outlive the store.
    """
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - pathlib takes as long to import as everything else here
        descriptor = int(name)
        if descriptor > 2 and descriptor not in keep:
            try:
                os.close(descriptor)
            except OSError:
                continue  # the one that listed /dev/fd is closed already


def _watch(store_pid: int, watch_fd: int, alive_fd: int, grace_seconds: float) -> None:
    """Return once the store has ended; end it if the supervisor ends first."""
    ready, _, _ = select.select([watch_fd, alive_fd], [], [])
    if alive_fd in ready:
        return
    os.kill(store_pid, signal.SIGTERM)
    ready, _, _ = select.select([alive_fd], [], [], grace_seconds)
    if not ready:
        os.kill(store_pid, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:])
