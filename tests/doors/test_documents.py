"""What the OpenAPI documents of both services allow, and what they do not, gets only answers that they describe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import APIOperation, Response

#: Calls of each operation, with values as described and then with others.
CALLS: Final = 40
CHECKS: Final = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
]  # fmt: skip
fuzzed = settings(
    max_examples=CALLS,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(params=["feedgen", "search"])
def address(request: pytest.FixtureRequest) -> str:
    """Of each service."""
    return f"http://127.0.0.1:{request.getfixturevalue(request.param)}"


def operations(address: str) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    """Those of the document that the service gives out."""
    for found in schemathesis.openapi.from_url(f"{address}/openapi.json").get_all_operations():
        assert isinstance(found, Ok)
        yield found.ok()


@pytest.mark.slow
@pytest.mark.parametrize("keyed", [True, False], ids=["with a key", "without"])
def test_every_answer_is_one_that_the_document_describes(address: str, key: bytes, *, keyed: bool) -> None:
    headers = {"X-API-Key": key.decode()} if keyed else {}
    statuses = {
        operation.label: {status for mode in GenerationMode for status in fuzz(operation, mode, address, headers)}
        for operation in operations(address)
    }
    assert len(statuses) >= 6
    # Some wishes come through, and others do not.
    assert any(200 in seen for seen in statuses.values())
    assert any(400 in seen for seen in statuses.values())


def fuzz(
    operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, address: str, headers: dict[str, str]
) -> set[int]:
    """Call the operation CALLS times, and check each answer; the statuses seen."""
    seen: set[int] = set()

    @fuzzed
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case[Any]) -> None:
        response = answer(case, address, headers)
        seen.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    try:
        ask()
    except Unsatisfiable:
        # What takes nothing, or any text, cannot be asked wrongly.
        assert mode is GenerationMode.NEGATIVE
        assert not seen
    return seen


def answer(case: Case[Any], address: str, headers: dict[str, str]) -> Response:
    """The answer; asked again while the machine is too busy for one (503 with Retry-After)."""
    answers: list[Response] = []

    def is_answered() -> bool:
        answers.append(case.call(base_url=address, headers=headers))
        return answers[-1].status_code != 503

    until(is_answered, "an answer other than 503")
    return answers[-1]
