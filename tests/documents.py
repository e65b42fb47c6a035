"""The OpenAPI document of a service, compared with what is mounted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.urls import URLPattern, URLResolver

from atsite.urls import documentation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: ninja's own pages.
OWN = {"openapi-json", "openapi-view", "api-root"}


def mounted(patterns: Iterable[URLPattern | URLResolver], prefix: str = "/") -> set[str]:
    """The paths of all routes, but for the document, its page and the files of that page."""
    found: set[str] = set()
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= mounted(pattern.url_patterns, path)
        elif pattern.name not in OWN and pattern.callback is not documentation.asset:
            found.add(re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path))
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and details of each operation."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def check_examples(document: dict[str, Any]) -> None:
    """Each operation has an example of its call, of its answer and of each of its errors."""
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    for path, _, operation in operations(document):
        call = operation["x-codeSamples"][0]["source"]
        assert call.startswith("curl ")
        assert re.search(re.sub(r"{\w+}", "[^/{}]+", path), call)
        assert call in operation["description"]
        for parameter in operation["parameters"]:
            assert "example" in parameter or not parameter["required"], (path, parameter)
            # What a limit is, its bounds say.
            assert parameter["name"] == "limit" or parameter.get("description"), (path, parameter)
        # A redirect has no body.
        answers = {status: answer for status, answer in operation["responses"].items() if not status.startswith("3")}
        ((kind, content),) = answers.pop(min(answers))["content"].items()
        assert kind in {"application/json", "application/jsonl"}
        check_keys(document, content.get("schema", {}), content["example"])
        for status, answer in answers.items():
            error = answer["content"]["application/json"]["example"]
            assert (path, status, set(error)) == (path, status, {"error", "message"})
            assert answer["description"].startswith(f"{error['error']}. ")


def check_keys(document: dict[str, Any], schema: dict[str, Any], example: Any) -> None:
    """An example has all fields that are required, and none that there is not."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "items" in schema:
        for item in example:
            check_keys(document, schema["items"], item)
    elif "properties" in schema:
        assert set(schema.get("required", ())) <= set(example) <= set(schema["properties"])
        for name, value in example.items():
            check_keys(document, schema["properties"][name], value)
