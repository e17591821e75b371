"""Requests to the operations that a sandbox's desk serves, without HTTP around them."""

from functools import cache
from typing import Any
from urllib.parse import urlsplit

import orjson
from werkzeug.routing import Map, Rule

from app.sandbox.api.answers import Answer, Modes
from app.sandbox.api.call import Call
from app.sandbox.machine import Machine
from tests.unit.sandbox.calls import ACCOUNT

SECRET = ("sandbox-project-secret", "")
PROJECT = "/api/app/projects/2195193"


def ask(
    machine: Machine,
    method: str,
    path: str,
    who: Any = ACCOUNT,
    body: Any = None,
    *,
    mimetype: str = "application/json",
    **query: str,
) -> Answer:
    """Ask as the service account that may do everything, if nothing else is said; `project_id` goes along."""
    if not path.startswith("/api/app/"):
        query = {"project_id": machine.config.project_id} | query
    rules = tuple((one.rule, one.method) for one in machine.api.desk.operations)
    at, named = _paths(rules).bind("").match(urlsplit(path).path, method)
    username, password = who or (None, "")
    sent = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
    call = Call(Modes.of({}), sent, mimetype, "", username=username, password=password, query=query)
    given = {name: [value] for name, value in query.items() if value}
    path_values = {name: str(value) for name, value in named.items()}
    answer = machine.api.desk.answer(machine.api.desk.operations[at], call, path_values, given)
    assert isinstance(answer, Answer)
    return answer


@cache
def _paths(rules: tuple[tuple[str, str], ...]) -> Map:
    return Map([Rule(rule, methods=[method], endpoint=at) for at, (rule, method) in enumerate(rules)])


def report(machine: Machine, path: str, **query: str) -> Any:
    """Return what a query answers."""
    answer = ask(machine, "GET", f"/api/query/{path}", **query)
    assert answer.status == 200, answer.body
    return orjson.loads(answer.body)


def refused(machine: Machine, path: str, **query: str) -> str:
    """Return what a query is refused for."""
    answer = ask(machine, "GET", f"/api/query/{path}", **query)
    assert answer.status == 400, answer.body
    return str(orjson.loads(answer.body)["error"])
