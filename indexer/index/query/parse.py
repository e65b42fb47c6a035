"""Reads a query into its tree. PURE.

    query = branch ("OR" branch)*         branch = part+ (all of them; "AND" between them changes nothing)
    part  = "-" part | "(" query ")" | "phrase" | #tag | key:value | key:"a value" | address | word

OR and AND are operators in capitals only. A key that is not in `tree.Key` makes a word of it all, as do a lone `-` and
a lone `#`. Curly quotes are quotes: phones write them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from atsite.core.errors import AtsiteError
from indexer.index.query import values
from indexer.index.query.tree import Filter, Key, Node, Not, Phrase, Word, both, either, excludes_only, leaves
from indexer.index.query.values import HASHES, QUOTES

#: The longest query, in bytes of UTF-8.
BYTES_MAX: Final = 10_240
#: The most words, phrases and filters: a post of 300 graphemes hardly holds more words.
TERMS_MAX: Final = 64
#: How deep parentheses and minus signs may stand in each other.
DEPTH_MAX: Final = 16

_KEYS: Final = frozenset(map(str, Key))
_SPACE: Final = re.compile(r"\s+")
_PHRASE: Final = re.compile(f"[{QUOTES}]([^{QUOTES}]*)([{QUOTES}]?)")
_WORD: Final = re.compile(r"[^\s()]+")
_FILTER: Final = re.compile(r"([A-Za-z]+):")
_ADDRESS: Final = re.compile(r"(?:url:)?https?://\S+", re.IGNORECASE)


class BadQuery(AtsiteError):
    """Nothing can be searched for with this text. `at`: the position of the problem in it, in characters from 0."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.at = at


def parse(text: str) -> Node:
    """The tree of a query; raises BadQuery."""
    if len(text.encode("utf-8", "surrogatepass")) > BYTES_MAX:
        raise BadQuery(f"the query is longer than {BYTES_MAX} bytes")
    node = _Reader(text).whole()
    terms = list(leaves(node))
    if len(terms) > TERMS_MAX:
        raise BadQuery(f"the query has {len(terms)} terms, at most {TERMS_MAX} are searched for", terms[TERMS_MAX].at)
    return node


def check_asks_for_something(node: Node) -> None:
    """Raises BadQuery for a query that only excludes."""
    if excludes_only(node):
        raise BadQuery("the query only excludes posts: add a word that they must have")


@dataclass
class _Reader:
    text: str
    at: int = 0

    def whole(self) -> Node:
        node = self._query(0)
        if self.at < len(self.text):  # only a parenthesis ends a query
            raise BadQuery('this ")" closes nothing; put it in quotes to search for it', self.at)
        return node

    def _query(self, depth: int) -> Node:
        branches = [self._branch(depth)]
        while self._takes("OR"):
            branches.append(self._branch(depth))
        return either(*branches)

    def _branch(self, depth: int) -> Node:
        parts: list[Node] = []
        while True:
            self._skip_space()
            if self._ends() or self._sees("OR"):
                if not parts:
                    raise BadQuery(_missing(self.text), min(self.at, len(self.text)))
                return both(*parts)
            if not self._takes("AND"):
                parts.append(self._part(depth))

    def _part(self, depth: int) -> Node:
        if depth > DEPTH_MAX:
            raise BadQuery(f"parentheses and minus signs stand in each other more than {DEPTH_MAX} deep", self.at)
        begin, here = self.at, self.text[self.at]
        following = self.text[self.at + 1 : self.at + 2]
        if here == "-" and following and not following.isspace() and following != ")":
            self.at += 1
            return Not(self._part(depth + 1))
        if here == "(":
            self.at += 1
            node = self._query(depth + 1)
            if self.at == len(self.text):
                raise BadQuery('this "(" is not closed; put it in quotes to search for it', begin)
            self.at += 1
            return node
        if here in QUOTES:
            return Phrase(self._quoted(), begin)
        return self._word()

    def _word(self) -> Node:
        begin = self.at
        if found := _ADDRESS.match(self.text, begin):
            address = _without_outer_parentheses(found[0])
            self.at += len(address)
            return _filter(Key.URL, address[4:] if address[:4].lower() == "url:" else address, begin)
        found = _WORD.match(self.text, begin)
        assert found is not None
        word = found[0]
        named = _FILTER.match(word)
        if named and (key := named[1].lower()) in _KEYS:
            return _filter(Key(key), self._value(begin + named.end(), found.end()), begin)
        if tag := word.lstrip(HASHES) if word[0] in HASHES else "":
            return _filter(Key.TAG, self._value(found.end() - len(tag), found.end()), begin)
        self.at = found.end()
        return Word(word, begin)

    def _value(self, begin: int, end: int) -> str:
        """What is between quotes at `begin`, or else all up to `end`."""
        self.at = begin
        if begin < len(self.text) and self.text[begin] in QUOTES:
            return self._quoted()
        self.at = end
        return self.text[begin:end]

    def _quoted(self) -> str:
        found = _PHRASE.match(self.text, self.at)
        assert found is not None
        if not found[2]:
            raise BadQuery("this quote is not closed", self.at)
        if not found[1].strip():
            raise BadQuery("there is nothing between these quotes", self.at)
        self.at = found.end()
        return _SPACE.sub(" ", found[1].strip())

    def _skip_space(self) -> None:
        if found := _SPACE.match(self.text, self.at):
            self.at = found.end()

    def _ends(self) -> bool:
        return self.at >= len(self.text) or self.text[self.at] == ")"

    def _sees(self, operator: str) -> bool:
        found = _WORD.match(self.text, self.at)
        return found is not None and found[0] == operator

    def _takes(self, operator: str) -> bool:
        if self._sees(operator):
            self.at += len(operator)
            return True
        return False


def _filter(key: Key, value: str, at: int) -> Filter:
    try:
        return Filter(key, values.read(key, value), at)
    except values.InvalidValue as error:
        raise BadQuery(f"{key}: {error}", at) from error


def _without_outer_parentheses(address: str) -> str:
    """An address without what closes a parenthesis before it: "(https://a.example/b_(c))" ends behind "c)"."""
    while address.endswith(")") and address.count(")") > address.count("("):
        address = address[:-1]
    return address


def _missing(text: str) -> str:
    return "a word is missing here" if text.strip() else "there is no word in the query"
