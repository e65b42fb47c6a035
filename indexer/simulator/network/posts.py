"""The posts of the simulated network: their texts, languages, facets, embeds, replies and oddities."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from atsite.core.atproto.tid import tid_of_micros
from atsite.core.atproto.timestamps import datetime_of_micros
from indexer.simulator.network.cids import blob_cid, record_cid
from indexer.simulator.network.post_popularity import ROOT_RANKS, Popularity
from indexer.simulator.network.words import ALT_TEXTS, FILLERS, LANGUAGES, PHRASES, SELF_LABELS, SITES, sentence

if TYPE_CHECKING:
    from indexer.simulator.network.population import Population
    from indexer.simulator.network.seeded_random import Chance
    from indexer.simulator.network.timeline import Timeline

POST: Final = "app.bsky.feed.post"
# The client writes, the PDS commits a little later, Jetstream sees it a little later still.
COMMIT_DELAY: Final = 250_000
RKEY_DELAY: Final = 350_000
DAY: Final = 86_400_000_000
# Of 65,536 draws each. Replies: of those posts that are not among the best of their era.
_REPLIES: Final = 32_000
_IMAGES, _VIDEO, _CARD, _QUOTE, _QUOTE_WITH_IMAGE = 9_000, 11_000, 16_000, 20_000, 21_000
_NO_ALT: Final = 36_000
_HASHTAG_FACETS, _HASHTAG_FIELD, _MENTION, _LINK = 12_000, 2_500, 4_000, 4_000
_OTHER_LANGUAGE, _NO_LANGS, _TWO_LANGS = 3_000, 2_500, 1_500
_SECOND_SENTENCE, _EMOJI, _LABELLED = 20_000, 9_000, 1_200
# Imported from elsewhere (old createdAt), a clock that runs ahead, no date at all, a date that is none.
_IMPORTED, _AHEAD, _UNDATED, _MISDATED = 200, 260, 290, 320
# A post with what refers to it takes about a kilobyte: 20 MB.
_CACHED_POSTS: Final = 20_000

_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Post:
    """A created post; `ref` and `root` are strong references as JSON, `root` that of its thread."""

    actor: int
    did: str
    rkey: str
    record: str
    cid: str
    ref: str
    root: str


@dataclass(slots=True)
class _RichText:
    """Text under construction; facets count UTF-8 bytes."""

    text: str
    facets: list[dict[str, Any]]

    def add(self, words: str, feature: dict[str, str]) -> None:
        start = len(self.text.encode()) + 1
        self.text += " " + words
        index = {"byteEnd": start + len(words.encode()), "byteStart": start}
        self.facets.append({"features": [feature], "index": index})


class Posts:
    """Writes the post of any number; a pure function of the timeline's parameters, with a bounded cache."""

    def __init__(self, timeline: Timeline, chance: Chance, population: Population, popularity: Popularity) -> None:
        self._timeline = timeline
        self._chance = chance
        self._population = population
        self._popularity = popularity
        self.get = lru_cache(maxsize=_CACHED_POSTS)(self._post)

    def _post(self, number: int) -> Post:
        actor = self._popularity.author(number)
        did = self._population.did(actor)
        rkey = tid_of_micros(self._timeline.time_of(number) - RKEY_DELAY, actor % 1024)
        record, root = self.write(number, number)
        cid = record_cid(record)
        ref = f'{{"cid":"{cid}","uri":"at://{did}/{POST}/{rkey}"}}'
        return Post(actor, did, rkey, record, cid, ref, root or ref)

    def write(self, number: int, version: int) -> tuple[str, str | None]:
        """The record of post `number` as event `version` writes it, and the reference of its thread's root, if a reply.

        The version that creates it has the post's own number; an edit or a new creation has that event's, and with it
        another text.
        """
        draws = self._chance.draws(number)
        more = self._chance.of(b"text", version)
        actor = self._popularity.author(number)
        language = self._population.language(actor)
        if more[3] < _OTHER_LANGUAGE:
            language = LANGUAGES[more[3] % len(LANGUAGES)]
        record: dict[str, Any] = {"$type": POST}
        created = self._created_at(version, draws, more)
        if created is not None:
            record["createdAt"] = created
        if (embed := self._embed(number, more)) is not None:
            record["embed"] = embed
        rich = self._text(number, language, more)
        if rich.facets:
            record["facets"] = rich.facets
        if more[9] < _LABELLED:
            value = SELF_LABELS[0 if more[9] < _LABELLED // 2 else more[9] % len(SELF_LABELS)]
            record["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": value}]}
        if more[10] >= _NO_LANGS:
            record["langs"] = [language, "en"] if more[10] > 65_535 - _TWO_LANGS and language != "en" else [language]
        root = None
        if number > self._timeline.founding and draws[6] < _REPLIES and self._popularity.rank_of(number) >= ROOT_RANKS:
            parent = self.get(self._popularity.choose(number, (draws[2], draws[3], draws[4])))
            root = parent.root
            record["reply"] = {"parent": msgspec.Raw(parent.ref.encode()), "root": msgspec.Raw(root.encode())}
        if more[6] > 65_535 - _HASHTAG_FIELD:
            record["tags"] = [PHRASES[language].tags[0]]
        record["text"] = rich.text
        return _encode(record).decode(), root

    def _created_at(self, version: int, draws: tuple[int, ...], more: tuple[int, ...]) -> str | None:
        micros = self._timeline.time_of(version) - RKEY_DELAY - draws[5] % 2_000 * 1_000
        if more[11] >= _MISDATED:
            return datetime_of_micros(micros)
        if more[11] < _IMPORTED:
            return datetime_of_micros(micros - (400 + more[0] % 900) * DAY)
        if more[11] < _AHEAD:
            return datetime_of_micros(micros + DAY // 8)
        return None if more[11] < _UNDATED else "last Tuesday"

    def _text(self, number: int, language: str, more: tuple[int, ...]) -> _RichText:
        text = sentence(language, more[0:3])
        if more[4] < _SECOND_SENTENCE:
            text += PHRASES[language].joiner + sentence(language, (more[2], more[0], more[1]))
        if more[4] > 65_535 - _EMOJI:
            text += " " + FILLERS[more[0] % len(FILLERS)]
        rich = _RichText(text, [])
        if more[7] < _MENTION:
            actor = self._population.pick(self._population.authors, more[7] * 16 + 1, number)
            did = self._population.did(actor)
            rich.add("@" + self._population.handle(actor), {"$type": "app.bsky.richtext.facet#mention", "did": did})
        if more[8] < _LINK:
            shown = f"{SITES[more[8] % len(SITES)]}/{more[8]}"
            rich.add(shown, {"$type": "app.bsky.richtext.facet#link", "uri": "https://" + shown})
        if more[6] < _HASHTAG_FACETS:
            tags = PHRASES[language].tags
            for step in range(1 + more[6] % 2):
                tag = tags[(more[6] + step) % len(tags)]
                rich.add("#" + tag, {"$type": "app.bsky.richtext.facet#tag", "tag": tag})
        return rich

    def _embed(self, number: int, more: tuple[int, ...]) -> dict[str, Any] | None:
        form = more[5]
        if form < _IMAGES:
            return _images(number, more)
        if form < _VIDEO:
            return {"$type": "app.bsky.embed.video", "video": _blob(f"{number}v", "video/mp4", 1_000 * form)}
        if form < _CARD:
            uri = f"https://{SITES[form % len(SITES)]}/{form}"
            card = {"description": ALT_TEXTS[form % len(ALT_TEXTS)], "title": f"No. {form}", "uri": uri}
            return {"$type": "app.bsky.embed.external", "external": card}
        if form < _QUOTE_WITH_IMAGE and number > self._timeline.founding:
            quoted = self.get(self._popularity.choose(number, (more[12], more[13], more[14])))
            record = {"$type": "app.bsky.embed.record", "record": msgspec.Raw(quoted.ref.encode())}
            if form < _QUOTE:
                return record
            return {"$type": "app.bsky.embed.recordWithMedia", "media": _images(number, more), "record": record}
        return None


def _images(number: int, more: tuple[int, ...]) -> dict[str, Any]:
    images = []
    for index in range(1 + more[15] % 4):
        alt = "" if (more[15] + index * 20_000) % 65_536 < _NO_ALT else ALT_TEXTS[(number + index) % len(ALT_TEXTS)]
        size = {"height": 1_000, "width": 800 + more[15] % 800}
        images.append({"alt": alt, "aspectRatio": size, "image": _blob(f"{number}-{index}", "image/jpeg", 300_000)})
    return {"$type": "app.bsky.embed.images", "images": images}


def _blob(name: str, mime_type: str, size: int) -> dict[str, Any]:
    return {"$type": "blob", "ref": {"$link": blob_cid(name)}, "mimeType": mime_type, "size": size}
