"""The query language as text: trees, errors with their positions, and that writing a tree gives its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.index.query.parse import BadQuery, check_asks_for_something, parse
from indexer.index.query.tree import And, Filter, Key, Node, Not, Or, Phrase, Word, both, either
from indexer.index.query.write import write

if TYPE_CHECKING:
    from collections.abc import Callable

CAT, DOG, COW = Word("cat"), Word("dog"), Word("cow")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("cat", CAT),
        ("  cat \t\n dog　cow ", And((CAT, DOG, COW))),
        ("cat AND dog", And((CAT, DOG))),
        ("AND cat AND AND (AND dog)", And((CAT, DOG))),
        ("cat and dog or cow", And((CAT, Word("and"), DOG, Word("or"), COW))),
        ("cat OR dog", Or((CAT, DOG))),
        ("cat dog OR cow", Or((And((CAT, DOG)), COW))),
        ("cat (dog OR cow)", And((CAT, Or((DOG, COW))))),
        ("(cat dog) cow", And((CAT, DOG, COW))),
        ("(cat OR dog) OR cow", Or((CAT, DOG, COW))),
        ("((cat))", CAT),
        ("cat(dog)cow", And((CAT, DOG, COW))),
        ("-cat", Not(CAT)),
        ("-(cat OR dog) cow", And((Not(Or((CAT, DOG))), COW))),
        ("--cat", Not(Not(CAT))),
        ("cat - dog", And((CAT, Word("-"), DOG))),
        ("(cat -)", And((CAT, Word("-")))),
        ("e-mail", Word("e-mail")),
        ('"cat dog"', Phrase("cat dog")),
        ('"cat  (dog) OR -cow"', Phrase("cat (dog) OR -cow")),
        ('-"cat dog"', Not(Phrase("cat dog"))),
        ("“cat dog” cow", And((Phrase("cat dog"), COW))),
        ("„cat dog“", Phrase("cat dog")),
        ('cat"dog', Word('cat"dog')),
        ("#Cats", Filter(Key.TAG, "Cats")),
        ('#"big cats"', Filter(Key.TAG, "big cats")),
        ("tag:##cats", Filter(Key.TAG, "cats")),
        ("＃cats", Filter(Key.TAG, "cats")),
        ("# cats", And((Word("#"), Word("cats")))),
        ("##", Word("##")),
        ("from:@Alice.Example", Filter(Key.FROM, "alice.example")),
        ("FROM:did:plc:ewvi7nxzyoun6zhxrhs64oiz", Filter(Key.FROM, "did:plc:ewvi7nxzyoun6zhxrhs64oiz")),
        ("from:https://bsky.app/profile/alice.example", Filter(Key.FROM, "alice.example")),
        ("from:ME -to:@me", And((Filter(Key.FROM, "me"), Not(Filter(Key.TO, "me"))))),
        ("mentions:alice.example", Filter(Key.MENTIONS, "alice.example")),
        ("lang:PT_br", Filter(Key.LANG, "pt-br")),
        ("domain:https://www.Example.com/a", Filter(Key.DOMAIN, "example.com")),
        ("domain:münchen.example", Filter(Key.DOMAIN, "münchen.example")),
        ("url:Example.com/a/", Filter(Key.URL, "https://example.com/a")),
        ("http://www.Example.com/A?b=1#c", Filter(Key.URL, "https://example.com/A?b=1")),
        ("(see https://example.com/a_(b))", And((Word("see"), Filter(Key.URL, "https://example.com/a_(b)")))),
        ("since:2025-01-31", Filter(Key.SINCE, "2025-01-31")),
        ("until:2025-01-31T10:00:00Z", Filter(Key.UNTIL, "2025-01-31T10:00:00Z")),
        ("has:Images -is:reply", And((Filter(Key.HAS, "images"), Not(Filter(Key.IS, "reply"))))),
        ("note:cat 10:30 a:", And((Word("note:cat"), Word("10:30"), Word("a:")))),
    ],
)
def test_a_text_has_this_tree(text: str, tree: Node) -> None:
    assert parse(text) == tree
    assert parse(write(tree)) == tree


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("", 0, "there is no word in the query"),
        (" \n", 2, "there is no word in the query"),
        ("cat OR", 6, "a word is missing here"),
        ("cat OR OR dog", 7, "a word is missing here"),
        ("OR", 0, "a word is missing here"),
        ("AND", 3, "a word is missing here"),
        ("cat ()", 5, "a word is missing here"),
        ("cat (dog", 4, 'this "(" is not closed; put it in quotes to search for it'),
        ("cat) dog", 3, 'this ")" closes nothing; put it in quotes to search for it'),
        (":)", 1, 'this ")" closes nothing; put it in quotes to search for it'),
        ('cat "dog', 4, "this quote is not closed"),
        ('cat from:"a b', 9, "this quote is not closed"),
        ('cat " "', 4, "there is nothing between these quotes"),
        ("cat from: dog", 4, "from: expected a value"),
        ("from:alice", 0, "from: neither a did nor a handle"),
        (
            "from:handle.invalid",
            0,
            "from: handle.invalid names no account: it stands for a handle that could not be verified. Use the did.",
        ),
        ("lang:english!", 0, "lang: not a language code, such as en or pt-BR"),
        ("domain:@:", 0, "domain: not a domain, such as example.com"),
        ("url:ftp://example.com", 0, "url: not a web address, such as https://example.com/page"),
        ("https://[", 0, "url: not a web address, such as https://example.com/page"),
        ("x since:yesterday", 2, "since: neither a day (YYYY-MM-DD) nor a datetime (2026-05-25T14:00:00Z)"),
        ("has:legs", 0, "has: expected one of media, images, video, alt, link"),
        ("is:nice", 0, "is: expected one of reply, root, quote"),
        ("tag:#", 0, "tag: not a tag"),
        ("(" * 17 + "cat" + ")" * 17, 17, "parentheses and minus signs stand in each other more than 16 deep"),
        ("-" * 18 + "cat", 17, "parentheses and minus signs stand in each other more than 16 deep"),
        (" ".join(["cat"] * 65), 256, "the query has 65 terms, at most 64 are searched for"),
        ("é" * 5_121, 0, "the query is longer than 10240 bytes"),
    ],
)
def test_an_error_has_a_position(text: str, at: int, message: str) -> None:
    with pytest.raises(BadQuery) as caught:
        parse(text)
    assert (caught.value.at, str(caught.value)) == (at, message)


def test_the_limits_are_included() -> None:
    assert parse("é" * 5_120) == Word("é" * 5_120)
    assert parse("(" * 16 + "cat" + ")" * 16) == CAT
    assert parse(" ".join(["cat"] * 64)) == And((CAT,) * 64)


@pytest.mark.parametrize("text", ["-cat", "-cat -dog", "-cat OR -dog", "-(cat dog)", "-lang:en", "(-cat -dog)"])
def test_a_query_that_only_excludes_is_refused(text: str) -> None:
    with pytest.raises(BadQuery, match="the query only excludes posts: add a word that they must have"):
        check_asks_for_something(parse(text))


@pytest.mark.parametrize("text", ["cat", "-cat dog", "cat OR -dog", "lang:en", "--cat", "(-cat) dog"])
def test_other_queries_ask_for_something(text: str) -> None:
    check_asks_for_something(parse(text))


#: Texts that are a word each, or a phrase, or a value.
WORDS = st.from_regex(r"[a-z\u00e9\u6771+.'!]{1,8}", fullmatch=True) | st.sampled_from(["OR", "AND", 'a"b', "x:y", "#"])
PHRASES = st.from_regex(r"[a-z\u00e9():#-]{1,5}( [a-zOR():-]{1,5}){0,3}", fullmatch=True).map(Phrase)
FILTERS = st.one_of(
    st.builds(Filter, st.sampled_from([Key.FROM, Key.TO, Key.MENTIONS]), st.sampled_from(["me", "a.example"])),
    st.builds(Filter, st.just(Key.TAG), st.from_regex(r"[a-z][a-z()-]{0,5}( [a-z(]+)?", fullmatch=True)),
    st.builds(Filter, st.just(Key.URL), st.sampled_from(["https://a.example", "https://a.example/b_(c)?d"])),
    st.builds(Filter, st.just(Key.HAS), st.sampled_from(["media", "alt"])),
    st.builds(Filter, st.just(Key.SINCE), st.just("2025-01-31")),
)


def _is_one(text: str) -> bool:
    """Whether a text alone is the word that it is."""
    try:
        return parse(text) == Word(text)
    except BadQuery:
        return False


def _in_one_form(join: Callable[..., Node]) -> Callable[[list[Node]], Node]:
    return lambda parts: join(*parts)


#: OR and AND are words where no operator can be; only there does the parser make them.
LEAVES = WORDS.filter(lambda text: text not in ("OR", "AND") and _is_one(text)).map(Word) | PHRASES | FILTERS
TREES = st.recursive(
    LEAVES,
    lambda trees: st.one_of(
        trees.map(Not),
        st.lists(trees, min_size=2, max_size=4).map(_in_one_form(both)),
        st.lists(trees, min_size=2, max_size=4).map(_in_one_form(either)),
    ),
    max_leaves=12,
)


@given(TREES)
def test_a_written_tree_is_read_as_itself(tree: Node) -> None:
    assert parse(write(tree)) == tree


#: What the parser looks at, and other characters.
PIECES = [*'abé東"“”():-# \t', "OR ", "AND ", "from:", "me", "has:", "alt", "https://", "url:"]


@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_any_text_has_a_tree_that_is_written_or_an_error_within_it(text: str) -> None:
    tree, at = None, 0
    try:
        tree = parse(text)
    except BadQuery as error:
        at = error.at
    assert 0 <= at <= len(text)
    assert tree is None or parse(write(tree)) == tree
