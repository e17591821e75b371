"""Every published operation is called, and its answer compared with the description."""

from typing import Any

import orjson
import pytest

from tests.integration.sandbox.openapi.call import Published
from tests.integration.sandbox.openapi.calls import FAMILIES
from tests.integration.sandbox.openapi.conftest import Sandbox
from tests.integration.sandbox.openapi.published import operations

# Where the description cannot be right, or two of them differ: what is wrong with it.
DEPARTURES = {
    "engage-query": "$distinct_id is an integer in the description; ids are texts everywhere else",
}


def kept(answer: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        answer = answer[step]
    return answer


def read(call: Published, answer: Any) -> Any:
    if not answer.data:
        return None
    return answer.text if call.operation == "raw-event-export" else orjson.loads(answer.data)


def sent(sandbox: Sandbox, call: Published, known: dict[str, Any]) -> Any:
    return sandbox.call(call.method, call.path.format(**known), call.who, **call.said)


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_are_as_published(with_events: Sandbox, family: str) -> None:
    published, known = operations(), dict[str, Any]()
    for call in FAMILIES[family]():
        answer = sent(with_events, call, known)
        assert answer.status_code == call.status, (call.operation, answer.text)
        decoded = read(call, answer)
        faults = published[call.operation].faults(call.status, answer.mimetype, decoded)
        if call.operation in DEPARTURES:
            assert all("$distinct_id" in fault for fault in faults), faults
        else:
            assert faults == [], call.operation
        if call.none:
            assert decoded["status"] == "error"
        if call.keeps is not None:
            known[call.keeps[0]] = kept(decoded, call.keeps[1])


def test_no_published_operation_is_left_out() -> None:
    called = {call.operation for calls in FAMILIES.values() for call in calls()}
    assert called == set(operations())


@pytest.mark.parametrize("family", FAMILIES)
def test_whoever_has_no_credentials_is_answered_as_published(with_events: Sandbox, family: str) -> None:
    for call in FAMILIES[family]():
        described = operations()[call.operation].answers.get("401")
        if call.path in {"/track", "/engage", "/groups"}:
            continue  # these know the project by the token that is in the body
        answer = with_events.call(call.method, call.path, "nobody", **call.said)
        assert answer.status_code in {401, 404}, (call.operation, answer.text)
        if described and answer.status_code == 401:
            assert operations()[call.operation].faults(401, answer.mimetype, answer.get_json()) == []
