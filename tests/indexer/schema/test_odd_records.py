"""Records nobody should write, through every view: nothing throws, no row is lost, no neighbour is blanked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from atsite.core.atproto.tid import int_of_micros, tid_of_micros
from atsite.core.clickhouse import door
from tests.builders import ALICE, BLOCK, FOLLOW, LIKE, POST, PROFILE, REPOST
from tests.indexer.schema import fold, tables
from tests.rows import cid_of

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW_US = 1_790_000_000_000_000

#: Datetimes as someone wrote them, or nearly.
ODD_DATES = (
    "2015-01-01t00:00:00z",
    "2015-01-01 00:00:00Z",
    "2015-01-01T00:00:00",
    "2015-01-01T00:00:00+0200",
    "2015-01-01T00:00:00.5-12:34",
    "2015-01-01T00:00:00.12345678901234567890Z",
    "2015-01-01T00:00:00." + "9" * 4000 + "Z",
    "1969-12-31T23:59:59.9999Z",
    "2016-02-29T23:59:59-23:59",
    "2015-02-29T00:00:00Z",
    "2015-13-01T00:00:00Z",
    "2015-01-01T24:00:00Z",
    "2015-01-01T23:59:60Z",
    "2015-01-01T23:60:00Z",
    "2015-01-01T00:00:00+24:00",
    "2015-01-01T00:00:00+02",
    "2015-01-01T00:00Z",
    "2015-01-01T00:00:00.Z",
    "2015-01-01T00:00:00ZZ",
    "2015-01-01T00:00:00Z\n",
    " 2015-01-01T00:00:00Z",
    "2015-1-1T00:00:00Z",
    "20150101T000000Z",
    "2015-W01-1",
    "0000-01-01T00:00:00Z",
    "0000-12-31T23:00:00-02:00",
    "0001-01-01T00:00:00+00:30",
    "0001-01-01T00:30:00+00:30",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-00:30",
    "10000-01-01T00:00:00Z",
    "-002015-01-01T00:00:00Z",
    "Thu Jan 01 2015 00:00:00 GMT+0000 (Coordinated Universal Time)",
    "Thu, 01 Jan 2015 00:00:00 GMT",
    "２０１５-01-01T00:00:00Z",
    "2015-01-01T00:00:00Ⅷ",
    "2",
    "12:30",
    "Jan 5",
    "2025",
    "24/03/2025",
    "1700000000",
    "1700000000000",
    "-1",
    "now",
    "yesterday",
    "",
)

#: ClickHouse reads the whole of these as empty: the decoder must not let them through, the views must not fail on them.
UNREADABLE = {
    "lone surrogate": r'{"text":"\ud800"}',
    "1e999": '{"text":"x","a":1e999}',
    "NaN": '{"text":"x","a":NaN}',
    "raw control character": '{"text":"a\tb"}',
    "raw NUL": '{"text":"a\0b"}',
    "comment": '{"text":"x"/*c*/}',
    "trailing garbage": '{"text":"x"} y',
    "leading zero": '{"text":"x","a":01}',
    "cut short": '{"text":"x"',
    "single quotes": "{'text':'x'}",
    "nothing": "",
    "1,100 arrays": '{"text":"x","a":' + "[" * 1100 + "]" * 1100 + "}",
}

READABLE = {
    "null": "null",
    "true": "true",
    "a number": "7",
    "a text": '"text"',
    "an array of numbers": "[1,2]",
    "an array of texts": '["a","b",["en"]]',
    "an empty object": "{}",
    "text is a number": '{"text":5,"subject":5,"displayName":5}',
    "text is a float": '{"text":1.5,"subject":1.5}',
    "text is true": '{"text":true,"subject":true}',
    "numbers of 20 digits": '{"text":18446744073709551616,"reply":{"parent":{"uri":18446744073709551616}},'
    '"subject":{"uri":18446744073709551616},"displayName":18446744073709551616}',
    "a text of 20 digits": '{"text":"18446744073709551616","tags":["18446744073709551616"]}',
    "text is null": '{"text":null,"subject":null}',
    "text is an object": '{"text":{"a":1},"subject":{"uri":{"a":1}}}',
    "text is an array": '{"text":["a"],"subject":["a"]}',
    "2^63": '{"text":9223372036854775808}',
    "2^64": '{"text":18446744073709551616}',
    "-2^64": '{"text":-18446744073709551616}',
    "30 digits": '{"text":123456789012345678901234567890}',
    "a negative number": '{"text":-5}',
    "1e-400": '{"text":1e-400}',
    "1e2": '{"text":1e2}',
    "twice the same key": '{"text":"first","text":"second","subject":"did:a:b","subject":"did:c:d"}',
    "escaped NUL": r'{"text":"a\u0000b"}',
    "escaped pair": r'{"text":"\ud83d\ude00"}',
    "byte order mark": '\ufeff{"text":"x","subject":"did:x:y"}',
    "spaces around": ' \n{"text":"x","subject":"did:x:y"}\t ',
    "1,000 arrays": '{"text":"x","a":' + "[" * 1000 + "]" * 1000 + "}",
    "5 MB of text": json.dumps({"text": "long " * 1_000_000}),
    "a text of langs": '{"text":"x","langs":"en"}',
    "mixed langs": '{"text":"x","langs":["en",5,null,{"a":1},true]}',
    "an object of langs": '{"text":"x","langs":{"a":"en"}}',
    "the same lang twice": '{"text":"x","langs":["en","en"]}',
    "a text of reply": '{"text":"x","reply":"at://a/b/c"}',
    "a text of parent": '{"text":"x","reply":{"parent":"u","root":{"uri":"r"}}}',
    "an array of reply": '{"text":"x","reply":[{"uri":"p"},{"uri":"r"}]}',
    "a number of parent": '{"text":"x","reply":{"parent":{"uri":5}}}',
    "an object of facets": '{"text":"x","facets":{"features":[]}}',
    "mixed facets": '{"text":"x","facets":[{"features":[{"tag":"a"},5,{"tag":6}]},7,null,{"features":"z"},'
    '{"features":[{"did":"did:x:y"}]}]}',
    "null among features": '{"text":"x","facets":[{"features":[null,{"tag":"b"}]}]}',
    "a text of embed": '{"text":"x","embed":"y"}',
    "a number of $type": '{"text":"x","embed":{"$type":5,"images":[{"alt":"a"},{"alt":""},{},5,null]}}',
    "an object of images": '{"text":"x","embed":{"$type":"app.bsky.embed.images","images":{"alt":"a"}}}',
    "numbers of alt": '{"text":"x","embed":{"$type":"app.bsky.embed.images","images":[{"alt":5},{"alt":null}]}}',
    "300 images": json.dumps({"embed": {"$type": "app.bsky.embed.images", "images": [{"alt": "a"}] * 300}}),
    "a gallery": json.dumps({"embed": {"$type": "app.bsky.embed.gallery", "items": [{"alt": "a"}, {"alt": ""}]}}),
    "a foreign embed": '{"text":"x","embed":{"$type":"com.example.embed"}}',
    "a long name of embed": json.dumps({"embed": {"$type": "app.bsky.embed." + "z" * 80}}),
    "a number of record": '{"text":"x","embed":{"$type":"app.bsky.embed.record","record":7}}',
    "a record in a record": '{"embed":{"$type":"app.bsky.embed.record","record":{"record":{"uri":"u"}}}}',
    "record with media": '{"embed":{"$type":"app.bsky.embed.recordWithMedia","record":{"record":{"uri":"u"}},'
    '"media":{"$type":"app.bsky.embed.video"}}}',
    "an array of labels": '{"text":"x","labels":["a"]}',
    "mixed labels": '{"text":"x","labels":{"values":[{"val":"a"},{"val":5},"b"]}}',
    "hashes before tags": '{"text":"x","tags":["#A","a","##Ä",""]}',
    "10,000 tags": json.dumps({"tags": [f"tag{number}" for number in range(10_000)]}),
    "odd links": '{"embed":{"external":{"uri":"not a url"}},"facets":[{"features":[{"uri":"HTTPS://WWW.Example.COM:80/x"},'
    '{"uri":"http://[::1]/"},{"uri":"mailto:a@b.c"}]}]}',
    "an avatar that is a text": '{"avatar":"x"}',
    "an avatar": '{"avatar":{"ref":{"$link":"bafy"}},"displayName":"A","description":"B"}',
    **{
        f"createdAt {text!r}": json.dumps({"text": "x", "createdAt": text})
        for text in (
            "0001-01-01T00:00:00Z",
            "1024-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "3024-01-01T00:00:00Z",
            "2026-01-01T00:00:00.123456Z",
            "2026-01-01T00:00:00+02:00",
            "2025-02-30T00:00:00Z",
            "2026-01-01",
            *ODD_DATES,
        )
    },
    "createdAt is a number": '{"text":"x","createdAt":1700000000}',
}
CASES = {**READABLE, **UNREADABLE}

#: What of each case ClickHouse can see. Python's own parser stops before 1,000 arrays.
SEEN = {**CASES, **dict.fromkeys(UNREADABLE, ""), "1,000 arrays": '{"text":"x"}'}


@pytest.mark.parametrize("collection", [POST, LIKE, REPOST, FOLLOW, BLOCK])
def test_each_odd_record_gives_the_row_of_the_python_fold(clickhouse: None, collection: str) -> None:
    _insert(collection, list(CASES.values()))
    expected = {
        (ALICE, tid_of_micros(NOW_US, number)): {
            **fold.COLUMNS[collection](SEEN[name]),
            **({"cid": cid_of(text)} if collection == POST else {}),
            "version": int_of_micros(NOW_US, number),
            "deleted": 0,
        }
        for number, (name, text) in enumerate(CASES.items())
    }
    found = tables.table(collection)
    assert {name: found.get(key) for name, key in zip(CASES, expected, strict=True)} == dict(
        zip(CASES, expected.values(), strict=True)
    )


def test_each_odd_profile_gives_the_row_of_the_python_fold(clickhouse: None) -> None:
    dids = [f"did:example:{number}" for number in range(len(CASES))]
    _insert(PROFILE, list(CASES.values()), dids=dids, rkey="self")
    found = tables.table(PROFILE)
    assert {name: found.get((did, "self")) for name, did in zip(CASES, dids, strict=True)} == {
        name: {**fold.profile_columns(SEEN[name]), "version": int_of_micros(NOW_US, number), "deleted": 0}
        for number, name in enumerate(CASES)
    }


def test_invalid_utf8_blanks_its_own_record_only(clickhouse: None) -> None:
    door.execute(
        "INSERT INTO repo_records (repo, collection, rkey, operation, record_json, time_us, version) SELECT 'did:x:y', "
        "'app.bsky.feed.post', toString(number), 'create', if(number = 1, unhex('7B2274657874223A22FF227D'), "
        '\'{"text":"fine"}\'), 1790000000000000, 1 FROM numbers(3)',
        name="tests.invalid_utf8",
    )
    assert tables.rows("SELECT rkey, text FROM posts ORDER BY rkey", "rkey", "text") == [
        {"rkey": "0", "text": "fine"},
        {"rkey": "1", "text": ""},
        {"rkey": "2", "text": "fine"},
    ]


def test_a_tag_is_one_tag_however_it_is_written(clickhouse: None) -> None:
    """Upper case, full width, spaces around and between, a # in front: clients write all of them."""
    written = [
        "knitting",
        "  Knitting",
        "KNITTING ",
        "＃knitting",
        "# knitting",
        "#Deep  sea\u00a0diving",
        "deep sea diving",
    ]
    body = {"text": "x", "tags": written, "facets": [{"features": [{"$type": "t", "tag": "#knitting! "}]}]}
    _insert(POST, [json.dumps(body)])

    (row,) = tables.rows("SELECT tags FROM posts", "tags")

    assert row == {"tags": ["knitting!", "knitting", "deep sea diving"]}


REFERENCE = {"uri": "at://did:plc:x/app.bsky.feed.post/3k", "cid": "c"}
PICTURES = [{"alt": "a picture", "image": {}}, {"alt": "another"}]
#: Records with every field that a view reads.
WHOLE: dict[str, dict[str, Any]] = {
    POST: {
        "text": "hello",
        "createdAt": "2026-01-01T00:00:00Z",
        "langs": ["en", "pt"],
        "tags": ["one", "2"],
        "reply": {"parent": REFERENCE, "root": REFERENCE},
        "facets": [{"features": [{"tag": "three"}, {"did": "did:x:y"}, {"uri": "https://a.test/b"}]}],
        "labels": {"values": [{"val": "spam"}]},
        "embed": {
            "$type": "app.bsky.embed.recordWithMedia",
            "images": PICTURES,
            "items": PICTURES,
            "external": {"uri": "https://c.test/"},
            "record": {"uri": "at://q", "record": REFERENCE},
            "media": {
                "$type": "app.bsky.embed.video",
                "images": PICTURES,
                "items": PICTURES,
                "external": {"uri": "https://d.test/"},
            },
        },
    },
    LIKE: {"subject": REFERENCE},
    REPOST: {"subject": REFERENCE},
    FOLLOW: {"subject": "did:x:y"},
    BLOCK: {"subject": "did:x:y"},
    PROFILE: {"displayName": "A", "description": "B", "avatar": {"ref": {"$link": "bafy"}}},
}
WRONG: tuple[Any, ...] = (
    5, -5, 0, 1.5, 1e30, 2**63, True, False, None, "text", "5", "true", "[1]", '{"a":1}', "",
    {}, {"a": 1}, {"uri": "x", "tag": "x", "alt": "x", "val": "x", "$link": "x", "ref": "x"},
    [], [1], ["a"], [["a"]], [{"uri": "x"}, {"uri": "y"}], [None, {"uri": "y"}],
    ["a", [{"alt": "x"}], [{"alt": "y"}], {"uri": "y"}, {"uri": "z", "record": {"uri": "y"}}],
)  # fmt: skip


def with_each_wrong_value(value: Any, wrong: Any) -> Iterator[Any]:
    """`value` with each of its parts replaced by `wrong`, one at a time, and with `wrong` added to each list."""
    yield wrong
    if isinstance(value, dict):
        for name, part in value.items():
            yield from ({**value, name: changed} for changed in with_each_wrong_value(part, wrong))
    elif isinstance(value, list):
        yield [*value, wrong]
        yield [wrong, *value]
        for number, part in enumerate(value):
            for changed in with_each_wrong_value(part, wrong):
                yield [*value[:number], changed, *value[number + 1 :]]


@pytest.mark.parametrize("collection", list(WHOLE))
def test_every_field_of_every_wrong_type_is_its_default_and_its_neighbours_stay(
    clickhouse: None, collection: str
) -> None:
    texts = [json.dumps(record) for wrong in WRONG for record in with_each_wrong_value(WHOLE[collection], wrong)]
    texts.append(json.dumps(WHOLE[collection]))
    dids = [f"did:example:{number}" for number in range(len(texts))]
    _insert(collection, texts, dids=dids, rkey="self")
    found = tables.table(collection)
    different = {
        text: (row, expected)
        for did, text in zip(dids, texts, strict=True)
        if (row := {name: value for name, value in found[did, "self"].items() if name in fold.COLUMNS[collection]("")})
        != (expected := fold.COLUMNS[collection](text))
    }
    assert different == {}
    assert all(fold.COLUMNS[collection](texts[-1]).values()), "the record has no value for a column"


def _insert(collection: str, texts: list[str], *, dids: list[str] | None = None, rkey: str | None = None) -> None:
    numbers = range(len(texts))
    door.insert(
        "repo_records",
        {
            "repo": dids or [ALICE] * len(texts),
            "collection": [collection] * len(texts),
            "rkey": [rkey or tid_of_micros(NOW_US + number // 1024, number % 1024) for number in numbers],
            "operation": ["create"] * len(texts),
            "rev": [tid_of_micros(NOW_US + number // 1024, number % 1024) for number in numbers],
            "cid": [cid_of(text) for text in texts],
            "record_json": texts,
            "time_us": [NOW_US] * len(texts),
            "version": [int_of_micros(NOW_US + number // 1024, number % 1024) for number in numbers],
        },
        name="tests.odd_records",
    )
