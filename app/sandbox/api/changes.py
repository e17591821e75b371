"""Work out what a batch of operations makes of the profiles (or group profiles) that it names. Pure."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.sandbox.api.ingest import Failure
from app.sandbox.api.operations import Properties, apply_operation
from app.sandbox.config import Limits

Key = TypeVar("Key", bound=Hashable)
SERVER_LOCATION = {
    "$country_code": "US",
    "$region": "Virginia",
    "$city": "Ashburn",
}  # what `ip=0` protects from


@dataclass(frozen=True)
class Step(Generic[Key]):
    """One operation on what `key` names."""

    key: Key
    kind: str
    operand: Any
    geolocated: bool


@dataclass(frozen=True)
class Worked(Generic[Key]):
    """What is to be written (None: deleted), and which operations were refused."""

    changed: Mapping[Key, Properties | None]
    failures: list[Failure]


def work_out(steps: Mapping[int, Step[Key]], known: Mapping[Key, Properties], limits: Limits) -> Worked[Key]:
    """Apply operations in order.

    Args:
        steps: By the record's index.
        known: The properties of those profiles that exist.
        limits: The limits in force.
    """
    state: dict[Key, Properties | None] = dict(known)
    changed: dict[Key, Properties | None] = {}
    failures = []
    for index, step in steps.items():
        before = state.get(step.key)
        after = _after(before, step)
        if after is not None and len(after) > limits.max_properties:
            failures.append(_too_many(index, step.kind, limits))
            continue
        if after is not before:
            state[step.key] = changed[step.key] = after
    return Worked(changed, failures)


def _after(before: Properties | None, step: Step[Any]) -> Properties | None:
    after = apply_operation(step.kind, before, step.operand)
    if after is None or not step.geolocated:
        return after
    return after | SERVER_LOCATION


def _too_many(index: int, kind: str, limits: Limits) -> Failure:
    message = f"'{kind}' is invalid: the profile would have more than {limits.max_properties} properties"
    return Failure(index, kind, message)
