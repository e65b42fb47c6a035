from __future__ import annotations

from atsite.management.commands.demo import Command
from atsite.supervision.children import Ports


def test_the_demo_asks_its_own_network_who_is_who() -> None:
    variables = Command().environment(Ports(simulator=4096))
    network = "http://127.0.0.1:4096"
    asked = {name: variables[name] for name in ("PLC_URL", "HANDLE_RESOLVER_URL", "APPVIEW_URL", "ALLOW_LOOPBACK")}
    assert asked == {
        "PLC_URL": network,
        "HANDLE_RESOLVER_URL": network,
        "APPVIEW_URL": network,
        "ALLOW_LOOPBACK": "1",
    }
