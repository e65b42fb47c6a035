"""The running demo, as a program beside it sees it: its authors, its feeds over HTTP, and tokens of its readers."""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode

from atsite.core.atproto.syntax import Did
from atsite.core.clickhouse import door
from atsite.core.errors import AtsiteError
from indexer.simulator.demo import FOLDER, PUBLISHER
from indexer.simulator.network.viewer_token import viewer_token
from labels import account_lookup
from labels.account_lookup import Actor

if TYPE_CHECKING:
    from atsite.core.config import Config

SKELETON: Final = "app.bsky.feed.getFeedSkeleton"
DESCRIBE: Final = "app.bsky.feed.describeFeedGenerator"
ANSWER_SECONDS: Final = 10.0
#: How long a service may be busy: on a small machine the indexer still catches up.
BUSY_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.5
#: Accounts that are looked up; some of the busiest are deleted or have no handle that resolves.
CANDIDATES: Final = 60
PRIVATE_MEMBERS, PUBLIC_MEMBERS = 12, 10

BUSIEST = """
SELECT did
FROM posts
WHERE root_uri = '' AND deleted = 0
GROUP BY did
ORDER BY count() DESC, did
LIMIT {limit:UInt32}
"""


class PartFailed(AtsiteError):
    """A part of the community cannot be added now; the next start tries it again."""


#: The site is on this machine: no proxy.
OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class Demo:
    """The running demo that the parts are added to."""

    config: Config

    @cached_property
    def authors(self) -> list[Actor]:
        """Accounts with a handle that post much, the busiest first."""
        dids = [Did(did) for did in door.column(BUSIEST, {"limit": CANDIDATES}, name="demo.busiest")]
        found = [each for each in account_lookup.find_all(dids) if isinstance(each, Actor) and each.handle]
        if len(found) < PRIVATE_MEMBERS + PUBLIC_MEMBERS + 4:
            raise PartFailed(f"only {len(found)} accounts with posts are indexed so far")
        return found

    @property
    def private_members(self) -> list[Actor]:
        return self.authors[:PRIVATE_MEMBERS]

    @property
    def public_members(self) -> list[Actor]:
        return self.authors[PRIVATE_MEMBERS:][:PUBLIC_MEMBERS]

    @property
    def strangers(self) -> list[Actor]:
        """The authors that are in no label."""
        return self.authors[PRIVATE_MEMBERS + PUBLIC_MEMBERS :]

    def call(self, method: str, path: str, *, body: object = None, **headers: str) -> dict[str, Any]:
        """The JSON answer of the feed generator, which may be busy for a while. Raises PartFailed."""
        content = None if body is None else json.dumps(body).encode()
        typed = {"Content-Type": "application/json"} if content else {}
        url = self.config.service_endpoint + path
        request = urllib.request.Request(url, content, {**typed, **headers}, method=method)  # noqa: S310 - the demo's
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                with OPENER.open(request, timeout=ANSWER_SECONDS) as answer:
                    found: dict[str, Any] = json.load(answer)
                    return found
            except (OSError, HTTPException, ValueError) as error:
                refused = isinstance(error, HTTPError) and error.code < HTTPStatus.INTERNAL_SERVER_ERROR
                if refused or time.monotonic() > deadline:
                    raise PartFailed(f"{method} {path.partition('?')[0]}: {error}") from error
            time.sleep(LOOK_SECONDS)

    def posts(self, rkey: str, **headers: str) -> list[str]:
        """The first page of a feed, as at-uris. Raises PartFailed."""
        query = urlencode({"feed": uri_of(rkey), "limit": 50})
        return [str(item["post"]) for item in self.call("GET", f"/xrpc/{SKELETON}?{query}", **headers)["feed"]]

    def wait_until_served(self, *rkeys: str) -> None:
        """Return when these feeds are served: a feed is switched on within a second. Raises PartFailed."""
        deadline = time.monotonic() + BUSY_SECONDS
        wanted = {uri_of(rkey) for rkey in rkeys}
        while time.monotonic() < deadline:
            if wanted <= {feed["uri"] for feed in self.call("GET", f"/xrpc/{DESCRIBE}")["feeds"]}:
                return
            time.sleep(LOOK_SECONDS)
        raise PartFailed(f"{' and '.join(rkeys)} are not served yet")

    def token(self, handle: str, method: str) -> str:
        """The Authorization header of a reader's app. Raises SimulatorError."""
        folder = self.config.data_dir / FOLDER
        return f"Bearer {viewer_token(folder, handle, audience=self.config.service_did, method=method)}"


def uri_of(rkey: str) -> str:
    """The at-uri of one of the demo's feeds."""
    return f"at://{PUBLISHER}/app.bsky.feed.generator/{rkey}"
