from __future__ import annotations

from pathlib import Path

from atsite.supervision.addresses import address_table, feed_address
from atsite.supervision.children import Ports, ProcessSpec, Site, children_of

SITE = Site("demo", Path("/data"), "127.0.0.1", Ports(), {"DATA_DIR": "/data"}, simulated=True)


def summary(child: ProcessSpec) -> tuple[str, int, int, tuple[int, ...], str | None, str | None]:
    environment = child.environment
    return (
        child.name,
        child.wave,
        child.stage,
        child.ports,
        environment.get("ATSITE_SERVICE"),
        environment.get("METRICS_PORT"),
    )


def test_a_site_is_these_processes_on_the_ports_of_the_seed_design() -> None:
    assert [summary(child) for child in children_of(SITE)] == [
        ("simulator", 0, 0, (8096,), None, None),
        ("indexer", 1, 0, (8091,), "indexer", "8091"),
        ("feedgen", 1, 1, (8094, 8095), "feedgen", "8095"),
        ("worker", 1, 1, (8088,), "worker", "8088"),
        ("search", 2, 1, (8092, 8093), "search", "8093"),
        ("admin", 2, 1, (8090, 8089), "admin", "8089"),
        ("beat", 3, 1, (), "beat", "0"),
    ]


def test_the_real_network_needs_no_simulator() -> None:
    real = Site("up", Path("/data"), "127.0.0.1", Ports(), {}, simulated=False)
    assert [child.name for child in children_of(real)][:2] == ["indexer", "feedgen"]


def test_every_child_gets_the_variables_of_the_site() -> None:
    assert {child.environment["DATA_DIR"] for child in children_of(SITE)} == {"/data"}


def test_free_ports_are_all_different() -> None:
    ports = Ports().chosen_by(lambda taken: 20_000 + len(taken))
    site = Site("demo", Path("/data"), "127.0.0.1", ports, {}, simulated=True)
    used = [port for child in children_of(site) for port in child.ports]
    assert sorted(used) == list(range(20_000, 20_009))


def test_the_table_names_every_address_and_the_command_to_try_first() -> None:
    uri = "at://did:plc:x/app.bsky.feed.generator/whats-hot"
    table = address_table(SITE, uri)
    page = f"http://127.0.0.1:8094/xrpc/app.bsky.feed.getFeedSkeleton?feed={uri}&limit=50"
    lines = [line.split() for line in table.splitlines() if line]
    assert [line[-1] for line in lines] == [
        page,
        "http://127.0.0.1:8094/xrpc/app.bsky.feed.describeFeedGenerator",
        "http://127.0.0.1:8092/xrpc/app.bsky.unspecced.searchPostsSkeleton?q=music&limit=5",
        "http://127.0.0.1:8092/stats",
        "http://127.0.0.1:8092/cleanup/",
        "http://127.0.0.1:8090/admin/",
        "http://127.0.0.1:8091/metrics",
        "http://127.0.0.1:8095/metrics",
        "http://127.0.0.1:8093/metrics",
        "http://127.0.0.1:8089/metrics",
        "http://127.0.0.1:8088/metrics",
        "/data/log",
        f"'{page}'",
    ]
    assert feed_address(SITE, uri, 50) == page
    assert "  public page         http://127.0.0.1:8092/\n" in address_table(SITE, uri, public_page=True)
    assert "public page" not in table


def test_a_site_that_listens_everywhere_is_shown_at_an_address_that_a_browser_can_open() -> None:
    site = Site("up", Path("/data"), "0.0.0.0", Ports(), {}, simulated=False)
    assert site.url("feedgen") == "http://127.0.0.1:8094"


def test_only_the_feed_generator_listens_beyond_this_machine_and_without_its_metrics() -> None:
    site = Site("up", Path("/data"), "2001:db8::1", Ports(), {"LISTEN_HOST": "2001:db8::1"}, simulated=False)
    children = {child.name: child for child in children_of(site)}
    hosts = {
        name: child.command[child.command.index("--host") + 1]
        for name, child in children.items()
        if "--host" in child.command
    }
    assert hosts == {"feedgen": "2001:db8::1", "search": "127.0.0.1", "admin": "127.0.0.1"}
    assert {child.environment["LISTEN_HOST"] for child in children.values()} == {"127.0.0.1"}
    assert site.url("feedgen") == "http://[2001:db8::1]:8094"
    assert site.url("admin") == "http://127.0.0.1:8090"
    assert site.url("feedgen_metrics") == "http://127.0.0.1:8095"


def test_an_offset_moves_every_port() -> None:
    moved = Site("demo", Path("/data"), "127.0.0.1", Ports().moved_by(100), {}, simulated=True)
    usual = [port for child in children_of(SITE) for port in child.ports]
    assert [port for child in children_of(moved) for port in child.ports] == [port + 100 for port in usual]


def test_a_sparse_simulation_is_asked_for_by_its_option() -> None:
    site = Site("demo", Path("/data"), "127.0.0.1", Ports(), {}, simulated=True, simulation=("--sparse",))
    assert children_of(site)[0].command[-1] == "--sparse"
