"""No request makes a 5xx: every endpoint of the feed generator and of search, over raw sockets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from atsite.urls import feedgen as feedgen_urls
from atsite.urls import search as search_urls
from tests.doors import raw_http
from tests.doors.odd_values import BODIES, GOOD, HEADERS, HOSTS, METHODS, ODD, SUFFIXES
from tests.doors.raw_http import Answer, request
from tests.feeds.service import SKELETON
from tests.search.service import SEARCH
from tests.waiting import until

if TYPE_CHECKING:
    from ninja import NinjaAPI

SEND = "/xrpc/app.bsky.feed.sendInteractions"
#: Requests to each service.
REQUESTS = 400


@dataclass(frozen=True)
class Endpoint:
    """One operation: its path and the parameters that it knows."""

    path: str
    method: str
    parameters: tuple[str, ...]


def endpoints(*apis: NinjaAPI) -> list[Endpoint]:
    """All operations that are mounted, as ninja has them."""
    found = []
    for api in apis:
        for path, item in api.get_openapi_schema(path_prefix="")["paths"].items():
            for method, operation in item.items():
                names = tuple(parameter["name"] for parameter in operation.get("parameters", []))
                found.append(Endpoint(path, method.upper(), names))
    return found


FEEDGEN = [
    *endpoints(feedgen_urls.api),
    Endpoint("/docs", "GET", ()),
    Endpoint("/openapi.json", "GET", ()),
    Endpoint("/static/ninja/swagger-ui.css", "GET", ()),
    Endpoint("/xrpc/com.example.unknown", "GET", ()),
]
SEARCHED = [
    *endpoints(search_urls.api),
    Endpoint("/docs", "GET", ()),
    Endpoint("/openapi.json", "GET", ()),
    Endpoint("/xrpc/com.example.unknown", "GET", ()),
]


def ask(port: int, raw: bytes) -> Answer:
    """The answer; asked again while the machine is too busy for one (503 with Retry-After)."""
    answers: list[Answer] = []

    def is_answered() -> bool:
        answers.append(raw_http.ask(port, raw))
        return not answers[-1].later

    until(is_answered, "an answer other than 503")
    return answers[-1]


def value(name: str) -> st.SearchStrategy[bytes]:
    good = [quote(text, safe="").encode() for text in GOOD.get(name, ["x"])]
    return st.one_of(
        st.sampled_from(good),
        st.sampled_from(good),
        st.sampled_from(ODD),
        st.text(max_size=40).map(lambda text: quote(text.encode("utf-8", "surrogatepass")).encode()),
    )


@st.composite
def requests(draw: st.DrawFn, served: list[Endpoint], key: bytes) -> bytes:
    """Mostly a right request with something odd in it."""
    endpoint = draw(st.sampled_from(served))
    query = []
    for name in endpoint.parameters:
        for _ in range(draw(st.sampled_from([1, 1, 1, 1, 1, 1, 0, 2]))):
            query.append(quote(name).encode() + b"=" + draw(value(name)))
    query += draw(st.lists(st.sampled_from(ODD), max_size=2))
    if draw(st.integers(0, 30)) == 0:
        query += [b"a=b"] * 1200
    headers = [("X-API-Key", key)] if draw(st.booleans()) else []
    for name in draw(st.lists(st.sampled_from(sorted(HEADERS)), max_size=2)):
        headers.append((name, draw(st.sampled_from(HEADERS[name]))))
    return request(
        endpoint.path.encode() + draw(st.sampled_from(SUFFIXES)) + (b"?" + b"&".join(query) if query else b""),
        *headers,
        method=draw(st.sampled_from([endpoint.method] * 12 + METHODS)),
        body=draw(st.sampled_from([b""] * 5 + BODIES)),
        host=draw(st.sampled_from([b"test"] * 12 + HOSTS)),
    )


def judge(answer: Answer, raw: bytes) -> None:
    """An answer that says no does it in the protocol's form, and is never the service's own fault."""
    assert answer.status < 500 or answer.status == 501, (answer, raw[:2000])
    if answer.status >= 400 and answer.body:
        assert answer.status < 500 or answer.error == (501, "MethodNotImplemented"), (answer, raw[:2000])
        answer.error  # noqa: B018 - it asserts


fuzzed = settings(
    max_examples=REQUESTS,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


@fuzzed
@given(st.data())
def test_the_feed_generator_answers_no_odd_request_with_a_5xx(feedgen: int, key: bytes, data: st.DataObject) -> None:
    raw = data.draw(requests(FEEDGEN, key))
    judge(ask(feedgen, raw), raw)


@fuzzed
@given(st.data())
def test_search_answers_no_odd_request_with_a_5xx(search: int, key: bytes, data: st.DataObject) -> None:
    raw = data.draw(requests(SEARCHED, key))
    judge(ask(search, raw), raw)


def test_every_endpoint_is_tried() -> None:
    assert {endpoint.path for endpoint in FEEDGEN} >= {SKELETON, SEND, "/.well-known/did.json", "/assign_user_to_feed"}
    assert {endpoint.path for endpoint in SEARCHED} >= {SEARCH, "/stats"}
