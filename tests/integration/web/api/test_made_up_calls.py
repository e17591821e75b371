"""Calls made up from the document, right and wrong ones: no 5xx, and what is answered is what is documented.

Schemathesis makes them: first one for each border and each violation of each schema, then some by chance, the
same ones in every run (`TEST_DEPTH=50` tries fifty times as many of these).
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, CheckFunction, Config, GenerationMode, Response, SerializationContext
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation.feedback import FeedbackSources
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.depth import examples
from tests.integration.web.api.relay import JSON, NDJSON
from tests.integration.web.api.whole import STREAM, Whole

PARTS: Final = 4
REFUSED: Final = [400, 401, 403, 404, 405, 409, 413, 415, 422, 429]
_MODES: Final = list(GenerationMode)


@schemathesis.serializer(NDJSON)
def _lines(_: SerializationContext, value: Any) -> bytes:
    """Write a body of a record a line, of whatever the value is."""
    records = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(each) for each in records).encode()


class Caller:
    """Sends cases, and notes what is wrong with the answers.

    Attributes:
        wrong: what is, each kind once.
        answers: how often each status came.
    """

    def __init__(self, whole: Whole) -> None:
        self._whole = whole
        self.wrong: dict[str, str] = {}
        self.answers: Counter[int] = Counter()

    def call(self, case: Case[Any], *, ours: bool) -> None:
        """Send a case, with the ids of what there is (`ours`) or those that were made up."""
        parameters = case.path_parameters or {}
        for name in parameters if ours else parameters.keys() & {"project_id"}:
            parameters[name] = self._whole.known.get(name, parameters[name])
        headers = {"Authorization": self._whole.admin}
        answer = case.call(headers=headers)
        self.answers[answer.status_code] += 1
        # It would want every call taken that the schemas allow; what there is and what not they cannot say.
        left_out: list[CheckFunction] = [positive_data_acceptance]
        if names_what_is_wrong(answer):
            left_out.append(negative_data_rejection)
        try:
            case.validate_response(answer, excluded_checks=left_out, headers=headers)
        except FailureGroup as failures:
            for failure in failures.exceptions:
                kind = f"{case.operation.label}: {type(failure).__name__}"
                self.wrong.setdefault(kind, f"{kind}\n{failures.args[0][:1500]}")


def names_what_is_wrong(answer: Response) -> bool:
    """Say whether this is a success of records of which the answer names those that are wrong."""
    told = answer.json() if JSON in answer.headers.get("content-type", [""])[0] else None
    return isinstance(told, dict) and bool(told.get("rejected"))


def operations(whole: Whole) -> list[APIOperation[Any, Any, Any, Any]]:
    """Return every operation but those that never stop answering."""
    config = Config()
    config.projects.default.generation.with_security_parameters = (
        False  # who may do what has tests of its own
    )
    config.projects.default.checks.negative_data_rejection.expected_statuses = [str(each) for each in REFUSED]
    schema = schemathesis.openapi.from_dict(whole.document, config=config)
    schema.app = whole.app
    found = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    found.sort(key=lambda each: each.label)
    return [each for each in found if STREAM not in str(each.definition.raw["responses"])]


def borders(operation: APIOperation[Any, Any, Any, Any]) -> Iterator[Case[Any]]:
    """Yield a case for each border and violation of its schemas."""
    how = operation.schema.config.generation
    yield from operation.schema.iter_coverage_cases(operation, generation_modes=_MODES, generation_config=how)


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_is_asked_the_answer_is_a_documented_one(whole: Whole, part: int) -> None:
    caller = Caller(whole)
    mine = operations(whole)[part::PARTS]
    assert mine
    for operation in mine:
        for case in borders(operation):
            caller.call(case, ours=True)
        by_chance(caller, operation, GenerationMode.POSITIVE)
        if operation.body or operation.query:  # elsewhere nearly all that is made up has to be thrown away
            by_chance(caller, operation, GenerationMode.NEGATIVE)
    assert not caller.wrong, "\n\n".join(caller.wrong.values())
    assert caller.answers[200] + caller.answers[202] > 5 * len(mine)
    assert caller.answers[400] + caller.answers[422] > 5 * len(mine)


def by_chance(caller: Caller, operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode) -> None:
    """Send some cases that keep to the schemas, or that do not, half of them about what there is."""
    made = operation.as_strategy(generation_mode=mode, feedback=FeedbackSources())

    @settings(
        max_examples=examples(8),
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=made)
    def send(case: Case[Any]) -> None:
        caller.call(case, ours=sum(caller.answers.values()) % 2 == 0)

    with suppress(Unsatisfiable):  # of some calls nothing can be wrong
        send()
