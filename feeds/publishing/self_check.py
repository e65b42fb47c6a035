"""Checks a feed the way the AppView reads it: each step on the way to a page, and what is wrong with it.

The steps are those of app.bsky.feed.getFeed: the generator record names a service did, its document names an endpoint,
and the endpoint answers with a page that is valid by the lexicon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from atsite.core.atproto.aturi import is_at_uri
from atsite.core.identity import LookupFailed, NoSuchIdentity
from atsite.core.outgoing import FetchFailed
from atsite.core.pds import Pds, PdsError
from feeds.publishing.generator_record import published_service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atsite.core.atproto.aturi import AtUri
    from atsite.core.identity import Resolver
    from atsite.core.outgoing import Client, Fetched

#: The AppView's timeout for a feed generator.
APPVIEW_TIMEOUT_SECONDS = 5.0
_PAGE = 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One step of the check, and what is wrong ("": nothing)."""

    step: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FeedCheck:
    """The check of one feed: its address, and the did and endpoint of the service."""

    client: Client
    resolver: Resolver
    feed: AtUri
    service_did: str
    endpoint: str

    async def findings(self) -> list[Finding]:
        """All steps, also those after a failed one: they often show the reason."""
        return [
            Finding(f"did document of the service, {self.endpoint}/.well-known/did.json", await self._did_document()),
            Finding("describeFeedGenerator", await self._description()),
            Finding(f"generator record {self.feed}", await self._record()),
            Finding("getFeedSkeleton without a token", await self._page()),
        ]

    async def _did_document(self) -> str:
        if not self.endpoint:
            return "SERVICE_ENDPOINT is not set: the network cannot find this service"
        if not self.service_did.startswith("did:web:"):
            return ""  # a did:plc names the endpoint in the directory
        document = await self._document("/.well-known/did.json")
        if isinstance(document, str):
            return f"{document}: is the proxy in front passing /.well-known/ through?"
        if document.get("id") != self.service_did:
            return f"its id is {document.get('id')!r} and not {self.service_did!r}: is SERVICE_ENDPOINT right?"
        services = document.get("service")
        endpoints = [
            each.get("serviceEndpoint")
            for each in (services if isinstance(services, list) else [])
            if isinstance(each, dict) and each.get("id") in ("#bsky_fg", f"{self.service_did}#bsky_fg")
        ]
        return (
            "" if endpoints == [self.endpoint] else f"its #bsky_fg endpoints are {endpoints}, not [{self.endpoint!r}]"
        )

    async def _description(self) -> str:
        content = await self._document("/xrpc/app.bsky.feed.describeFeedGenerator")
        if isinstance(content, str):
            return content
        if content.get("did") != self.service_did:
            return f"its did is {content.get('did')!r} and not the service's {self.service_did!r}"
        feeds = content.get("feeds")
        uris = [each.get("uri") for each in feeds if isinstance(each, dict)] if isinstance(feeds, list) else []
        return "" if str(self.feed) in uris else "the feed is not in its list: is it enabled?"

    async def _record(self) -> str:
        try:
            document = await self.resolver.document(self.feed.did)
            if document.pds is None:
                return f"{self.feed.did} has no PDS in its did document"
            service = await published_service(Pds(self.client, document.pds), self.feed.did, self.feed.rkey)
        except (NoSuchIdentity, LookupFailed, PdsError) as error:
            return str(error)
        if service is None:
            return "it does not exist: run publish_feed"
        if service != self.service_did:
            return f"it names the service {service!r} and not {self.service_did!r}: run publish_feed again"
        return ""

    async def _page(self) -> str:
        query = urlencode({"feed": str(self.feed), "limit": _PAGE})
        fetched = await self._get(f"/xrpc/app.bsky.feed.getFeedSkeleton?{query}")
        return fetched if isinstance(fetched, str) else page_problem(fetched, limit=_PAGE)

    async def _document(self, path: str) -> dict[str, Any] | str:
        """The JSON object at `path`, or an error message."""
        fetched = await self._get(path)
        if isinstance(fetched, str):
            return fetched
        content = _object(fetched)
        return f"status {fetched.status}, not a JSON object" if content is None else content

    async def _get(self, path: str) -> Fetched | str:
        """The response, or an error message."""
        try:
            return await self.client.get(self.endpoint + path, timeout=APPVIEW_TIMEOUT_SECONDS, max_redirects=0)
        except FetchFailed as error:
            if error.reason == "redirects":
                return "it redirects; a did document or a page must not redirect"
            return str(error)


def summary(findings: Sequence[Finding]) -> str:
    """For example "1 of 4 steps is wrong"; "" if all are right."""
    wrong = sum(1 for finding in findings if finding.problem)
    return f"{wrong} of {len(findings)} steps {'is' if wrong == 1 else 'are'} wrong" if wrong else ""


def page_problem(fetched: Fetched, *, limit: int) -> str:
    """What the AppView would refuse or drop of a skeleton; "" if it is valid."""
    content = _object(fetched, any_status=True)
    if fetched.status != 200:
        detail = f": {content.get('error')} {content.get('message')}" if content else ""
        return f"status {fetched.status}{detail}"
    if content is None or not isinstance(content.get("feed"), list):
        return "not a JSON object with a list `feed`"
    posts = [entry.get("post") if isinstance(entry, dict) else None for entry in content["feed"]]
    if not all(isinstance(post, str) and is_at_uri(post) for post in posts):
        return "an entry has no valid at-uri `post`: the AppView refuses the whole page"
    if "cursor" in content and not isinstance(content["cursor"], str):
        return "its cursor is not a text: the AppView refuses the whole page"
    if len(posts) > limit:
        return f"{len(posts)} posts where at most {limit} were asked for: the AppView drops the rest"
    return "" if posts else "the page is empty: readers see a feed without posts"


def _object(fetched: Fetched, *, any_status: bool = False) -> dict[str, Any] | None:
    if fetched.status != 200 and not any_status:
        return None
    try:
        content = fetched.json()
    except FetchFailed:
        return None
    return content if isinstance(content, dict) else None
