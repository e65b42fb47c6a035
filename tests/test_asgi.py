"""The life of a service's process, without the server around it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from atsite.core.config import BASE_DIR
from atsite.core.embedded.ports import free_port

#: Drives the lifespan protocol as granian does, and tells which threads ran between start and end.
LIFESPAN = """
import asyncio, json, sys, threading
from atsite.asgi import lifespan

async def main():
    sent, names = [], []
    asked = iter(["lifespan.startup", "lifespan.shutdown"])
    async def receive():
        names.append([thread.name for thread in threading.enumerate()])
        return {"type": next(asked)}
    async def send(message):
        sent.append(message["type"])
    await lifespan({}, receive, send)
    print(json.dumps([sent, "metrics" in names[-1]]))

asyncio.run(main())
"""


@pytest.mark.parametrize("serves", [False, True])
def test_a_metrics_port_of_0_starts_no_metrics_server(serves: bool) -> None:
    environment = {"ATSITE_SERVICE": "search", "METRICS_PORT": str(free_port() if serves else 0)}
    done = subprocess.run(
        [sys.executable, "-c", LIFESPAN], cwd=BASE_DIR, env=os.environ | environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == [["lifespan.startup.complete", "lifespan.shutdown.complete"], serves]
