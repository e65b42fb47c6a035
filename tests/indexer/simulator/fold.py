"""Reads the invented network strictly: keeps what every repo holds and fails on an event that makes no sense."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from atsite.core.atproto.aturi import AtUri
from atsite.core.atproto.syntax import is_cid, is_handle, is_nsid, is_plc_did, is_rkey
from atsite.core.atproto.tid import is_tid, tid_to_int
from atsite.core.atproto.timestamps import is_datetime

POST = "app.bsky.feed.post"
LIKE = "app.bsky.feed.like"
PROFILE = "app.bsky.actor.profile"
BROADCAST = "test.demo.stream.broadcast"
SUBJECT_POSTS = (LIKE, "app.bsky.feed.repost")
SUBJECT_ACTORS = ("app.bsky.graph.follow", "app.bsky.graph.block")


@dataclass
class Fold:
    """Everything the events so far left behind."""

    active: dict[str, bool] = field(default_factory=dict)
    handles: dict[str, str] = field(default_factory=dict)
    # The handle each did has now.
    handles_now: dict[str, str] = field(default_factory=dict)
    # The first handle of each did: mentions show it.
    names: dict[str, str] = field(default_factory=dict)
    revs: dict[str, int] = field(default_factory=dict)
    repos: dict[str, dict[tuple[str, str], dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))
    written: set[str] = field(default_factory=set)
    kinds: Counter[str] = field(default_factory=Counter)
    features: Counter[str] = field(default_factory=Counter)
    likers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    times: list[int] = field(default_factory=list)

    def add(self, line: bytes) -> None:
        event = json.loads(line)
        assert is_plc_did(event["did"])
        self.times.append(event["time_us"])
        getattr(self, "_" + event["kind"])(event)

    def _identity(self, event: dict[str, Any]) -> None:
        body = event["identity"]
        assert body["did"] == event["did"]
        assert is_handle(body["handle"])
        assert is_datetime(body["time"])
        holder = self.handles.setdefault(body["handle"], event["did"])
        self.names.setdefault(event["did"], body["handle"])
        self.handles_now[event["did"]] = body["handle"]
        assert holder == event["did"], "a handle has one holder"
        self.kinds["identity"] += 1

    def _account(self, event: dict[str, Any]) -> None:
        body, did = event["account"], event["did"]
        assert body["did"] == did
        assert is_datetime(body["time"])
        assert self.active.get(did) is not body["active"], "an account event changes something"
        self.active[did] = body["active"]
        status = body.get("status", "active")
        self.kinds[f"account {status}"] += 1
        if status == "deleted":
            self.repos[did].clear()

    def _commit(self, event: dict[str, Any]) -> None:
        did, commit = event["did"], event["commit"]
        assert self.active.get(did), f"only active accounts write: {event}"
        rev = tid_to_int(commit["rev"])
        assert rev > self.revs.get(did, 0), "revs grow per repo"
        assert (rev >> 10) <= event["time_us"]
        self.revs[did] = rev
        collection, rkey, operation = commit["collection"], commit["rkey"], commit["operation"]
        self.kinds[f"{collection} {operation}"] += 1
        assert is_nsid(collection)
        assert is_rkey(rkey)
        assert is_tid(rkey) or collection in (PROFILE, BROADCAST)
        key = (collection, rkey)
        assert (key in self.repos[did]) is (operation != "create"), event
        if operation == "delete":
            assert "record" not in commit
            assert "cid" not in commit
            del self.repos[did][key]
            return
        assert is_cid(commit["cid"])
        assert len(commit["cid"]) == 59
        record = commit["record"]
        assert record["$type"] == collection
        self._refers(did, collection, record)
        self.repos[did][key] = record
        self.written.add(f"at://{did}/{collection}/{rkey}")

    def _refers(self, did: str, collection: str, record: dict[str, Any]) -> None:
        if collection in SUBJECT_POSTS:
            uri = record["subject"]["uri"]
            assert self.holds(uri), f"{uri} does not exist"
            if collection == LIKE:
                self.likers[uri].add(did)
        elif collection in SUBJECT_ACTORS:
            assert is_plc_did(record["subject"])
            assert record["subject"] != did
        elif collection == POST:
            self._post(record)

    def _post(self, record: dict[str, Any]) -> None:
        assert 0 < len(record["text"]) <= 300
        self.features.update(key for key in record if key not in ("$type", "text"))
        self.features.update(f"lang {language}" for language in record.get("langs", ()))
        if "reply" in record:
            # The parent may have gone since an edited reply was first written; it was there once.
            assert record["reply"]["parent"]["uri"] in self.written
            assert record["reply"]["root"]["uri"] in self.written
        for facet in record.get("facets", ()):
            begin, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
            shown = record["text"].encode()[begin:end].decode()
            feature = facet["features"][0]
            self.features[feature["$type"]] += 1
            named = feature.get("tag") or feature.get("uri") or self.names[feature["did"]]
            assert shown in (f"#{named}", f"@{named}", named.removeprefix("https://"))
        self._embed(record.get("embed", {}))

    def _embed(self, embed: dict[str, Any]) -> None:
        self.features[embed.get("$type", "no embed")] += 1
        images = embed.get("images", embed.get("media", {}).get("images", ()))
        self.features.update("image with alt" if image["alt"] else "image without alt" for image in images)
        if embed.get("$type", "").startswith("app.bsky.embed.record"):
            quoted = embed["record"].get("record", embed["record"])  # one deeper where media stand beside it
            assert quoted["uri"] in self.written

    def holds(self, uri: str) -> bool:
        """Whether a record exists now and its account is active."""
        parsed = AtUri.parse(uri)
        return bool(self.active.get(parsed.did)) and (parsed.collection, parsed.rkey) in self.repos[parsed.did]
