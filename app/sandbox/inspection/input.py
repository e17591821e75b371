"""Read what inspection requests carry, and turn mistakes into answers."""

from dataclasses import fields, replace
from typing import Any, TypeVar

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from app.sandbox.faults import InvalidFaultError
from app.sandbox.population.conditions import InvalidConditionError
from app.sandbox.store.cohorts import UnknownCohortError

Group = TypeVar("Group")
MAX_PAGE = 10_000


class InputError(ValueError):
    """What was sent cannot be used; the message says why."""


def body() -> dict[str, Any]:
    """Return the request's JSON object; no body is an empty one."""
    if not request.get_data():
        return {}
    value = request.get_json(force=True, silent=True)
    if not isinstance(value, dict):
        raise InputError("the body must be a JSON object")
    return value


def strings(value: dict[str, Any], name: str) -> list[str]:
    """Return a list of strings from an object; absent is empty."""
    found = value.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise InputError(f"{name}: must be a list of strings")
    return found


def text(value: dict[str, Any], name: str, default: str | None = None) -> str:
    """Return a string from an object."""
    found = value.get(name, default)
    if not isinstance(found, str) or (default is None and not found):
        raise InputError(f"{name}: must be a string that is not empty")
    return found


def number(value: dict[str, Any], name: str) -> float | None:
    """Return a number from an object, or None if absent."""
    found = value.get(name)
    if found is not None and (isinstance(found, bool) or not isinstance(found, int | float)):
        raise InputError(f"{name}: must be a number")
    return found


def limit(default: int) -> int:
    """Return the query's `limit`."""
    given = request.args.get("limit", str(default))
    if not given.isdecimal() or not 1 <= int(given) <= MAX_PAGE:
        raise InputError(f"limit: from 1 to {MAX_PAGE}")
    return int(given)


def after() -> int:
    """Return the query's `after`, a number of arrival; 0 if absent."""
    given = request.args.get("after", "0")
    if not given.isdecimal():
        raise InputError("after: a number, as `next` gives it")
    return int(given)


def changed(group: Group, changes: Any) -> Group:
    """Return a settings dataclass with some fields replaced, each by a value of the same type."""
    if not isinstance(changes, dict):
        raise InputError("settings: each group is an object")
    known = {one.name for one in fields(group)}  # type: ignore[arg-type]  # always called with a dataclass
    for name, value in changes.items():
        if name not in known:
            raise InputError(f"{name}: no such setting; there are {', '.join(sorted(known))}")
        if not _fits(getattr(group, name), value):
            raise InputError(f"{name}: must be like {getattr(group, name)!r}")
    tupled = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
    return replace(group, **tupled)  # type: ignore[type-var]  # always called with a dataclass


def register_errors(app: Flask) -> None:
    """Answer mistakes with `{"error": ...}`."""
    for kind in (InputError, InvalidFaultError, InvalidConditionError):
        app.register_error_handler(kind, lambda err: _error(400, str(err)))
    app.register_error_handler(
        UnknownCohortError, lambda err: _error(404, f"there is no cohort {err.args[0]}")
    )
    app.register_error_handler(
        HTTPException, lambda err: _error(err.code or 500, err.description or err.name)
    )


def _fits(present: Any, value: Any) -> bool:
    if isinstance(present, bool) or isinstance(value, bool):
        return isinstance(present, bool) and isinstance(value, bool)
    if isinstance(present, int | float):
        return isinstance(value, int | float) and value >= 0
    if isinstance(present, tuple):
        return isinstance(value, list)
    return isinstance(value, str)


def _error(status: int, message: str) -> tuple[Response, int]:
    return jsonify(error=message), status
