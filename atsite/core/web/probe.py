"""Requests that a site makes of itself: `up` asks whether a feed has a full page. They are not counted as use.

The header is keyed with SECRET_KEY, so no reader can hide from the counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.crypto import constant_time_compare, salted_hmac

if TYPE_CHECKING:
    from django.http import HttpRequest

HEADER: Final = "X-Atsite-Probe"


def proof() -> str:
    """The value of HEADER."""
    return salted_hmac("atsite.core.web.probe", HEADER, algorithm="sha256").hexdigest()


def is_probe(request: HttpRequest) -> bool:
    """Whether the site itself asks."""
    given = request.headers.get(HEADER)
    return given is not None and constant_time_compare(given, proof())
