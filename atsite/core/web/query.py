"""How the services read parameters: each once, in a query string or in JSON, and whole numbers as XRPC writes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from ninja.parser import Parser
from pydantic import BeforeValidator

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.utils.datastructures import MultiValueDict


class QueryParser(Parser):
    """For `NinjaAPI(parser=…)`.

    A parameter that comes more than once stays a list, so an operation that knows it as one value refuses it (ninja
    would take the last), and one that does not know it passes it over.
    """

    def parse_querydict(
        self, data: MultiValueDict[str, str], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in data:
            given = data.getlist(name)
            values[name] = given if name in list_fields or len(given) > 1 else given[0]
        return values

    def parse_body(self, request: HttpRequest) -> Any:
        """The body as JSON; ninja answers any error of it with a 400."""
        return json.loads(request.body, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a name comes twice")
    return values


def _digits(value: object) -> object:
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise ValueError("expected a whole number")
    return value


#: A whole number as XRPC writes it; pydantic alone would take "1_0", " 10" and "10.0" as well.
WholeNumber: TypeAlias = Annotated[int, BeforeValidator(_digits)]
