"""Routes of the operations that a desk serves."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from flask import Flask, Response, request

from app.sandbox.api.answers import Modes
from app.sandbox.api.bodies import FORM
from app.sandbox.api.desk.operation import Operation
from app.sandbox.api.sending import read_call, settled
from app.sandbox.machine import Machine


def register(app: Flask, machine: Machine) -> None:
    """Let an app answer at the paths of all operations."""
    for number, operation in enumerate(machine.api.desk.operations):
        app.add_url_rule(
            operation.rule,
            endpoint=f"desk.{number}",
            view_func=_view(machine, operation),
            methods=[operation.method],
            strict_slashes=False,
        )


def _view(machine: Machine, operation: Operation) -> Callable[..., Response]:
    def view(**path: Any) -> Response:
        call = read_call(Modes.of({}))
        named = {name: str(value) for name, value in path.items()}
        return settled(machine.api.desk.answer(operation, call, named, _given(call.body)), machine)

    return view


def _given(body: bytes) -> Mapping[str, Sequence[str]]:
    """Return the fields of the query string and of a form, each as often as it came."""
    found: dict[str, list[str]] = {name: list(values) for name, values in request.args.lists()}
    if request.mimetype == FORM:
        for name, values in parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True).items():
            found.setdefault(name, []).extend(values)
    return found
