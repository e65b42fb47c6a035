"""The application of a service, which tells where its processor time goes: for docs/performance.md.

    ./just bench profile

After each millisecond of processor time a signal (SIGPROF) interrupts the event loop, and the part of the code that it
is in is counted: that of the innermost frame that belongs to a part of PARTS. A thread could not see it, as it runs
only where the event loop gives up Python's lock. Of the other threads the processor time alone is known. Served as
`bench.profiled:application`; the numbers are written to the file that BENCH_PROFILE names, twice a second.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from atsite.asgi import application as application

if TYPE_CHECKING:
    from types import FrameType

#: Pieces of file names, in the order in which they are tried.
PARTS: Final = {
    "atproto/service_jwt": "token: read",
    "atproto/keys": "token: signature",
    "core/web/auth": "token: read",
    "core/identity": "keys of readers",
    "usage/counting": "usage counted",
    "feeds/signals": "usage counted",
    "django/dispatch": "usage counted",
    "prometheus_client": "metrics",
    "labels/standing": "membership and version",
    "core/batched": "membership and version",
    "serving/thin_door": "thin door",
    "core/web/asgi": "thin door",
    "serving/ready_pages": "ready pages",
    "serving/reading": "ready pages",
    "serving/skeleton": "page made",
    "serving/private_gate": "page made",
    "feeds/kinds": "page made",
    "feeds/ranking/generations": "ranking read",
    "feeds/ranking/liveness": "liveness looked up",
    "feeds/ranking": "page made",
    "core/clickhouse": "ClickHouse client",
    "clickhouse_driver": "ClickHouse client",
    "core/kv": "Redis client",
    "/redis/": "Redis client",
    "ninja": "django-ninja",
    "pydantic": "django-ninja",
    "asgiref": "Django",
    "/django/": "Django",
    "atsite/": "other code of the project",
    "granian": "server",
    "asyncio": "server",
}
INTERVAL: Final = 0.001
WRITTEN: Final = 0.5


def part_of(frame: FrameType | None) -> str:
    """The part that a frame belongs to; "" if the event loop waits."""
    if frame is None or frame.f_code.co_name in ("select", "poll"):
        return ""
    while frame is not None:
        name = frame.f_code.co_filename
        for piece, part in PARTS.items():
            if piece in name:
                return part
        frame = frame.f_back
    return "server"


samples: Counter[str] = Counter()


def sample(number: int, frame: FrameType | None) -> None:
    """The handler of the signal; it runs in the thread of the event loop."""
    if part := part_of(frame):
        samples[part] += 1


def write(target: Path, loop: int) -> None:
    """Write the numbers until the process ends. `loop` is the thread of the event loop."""
    while True:
        time.sleep(WRITTEN)
        target.write_text(json.dumps({"samples": samples, "cpu": cpu_by_thread(loop)}), encoding="utf-8")


def cpu_by_thread(loop: int) -> dict[str, float]:
    """Processor seconds: of the event loop, of the other threads of Python by name, and of those of the server."""
    cpu: defaultdict[str, float] = defaultdict(float)
    own = threading.get_ident()
    for thread in threading.enumerate():
        if thread.ident is None or thread.ident == own:
            continue
        with suppress(OSError):  # it has ended meanwhile
            used = time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
            cpu["event loop" if thread.ident == loop else thread.name.rstrip("0123456789_-")] += used
    sampler = time.clock_gettime(time.pthread_getcpuclockid(own))
    cpu["server, native"] = max(0.0, time.process_time() - sampler - sum(cpu.values()))
    return dict(cpu)


signal.signal(signal.SIGPROF, sample)
signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
threading.Thread(target=write, args=(Path(os.environ["BENCH_PROFILE"]), threading.get_ident()), daemon=True).start()
