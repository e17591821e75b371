"""What each profile operation does to a profile. Pure.

Source: https://docs.mixpanel.com/reference/profile-set and its siblings. Not documented, decided here: `$add`
on a value that is no number, and `$append`, `$union` or `$remove` on one that is no list, leave the property
as it is.
"""

from collections.abc import Callable, Mapping
from typing import Any

Properties = dict[str, Any]
Operand = Any


def apply_operation(kind: str, profile: Properties | None, operand: Operand) -> Properties | None:
    """Return the profile after one operation; None stands for no profile, before and after."""
    return OPERATIONS[kind](profile, operand)


def _set(profile: Properties | None, operand: Mapping[str, Any]) -> Properties | None:
    return {**(profile or {}), **operand}


def _set_once(profile: Properties | None, operand: Mapping[str, Any]) -> Properties | None:
    return {**operand, **(profile or {})}


def _add(profile: Properties | None, operand: Mapping[str, Any]) -> Properties | None:
    after = dict(profile or {})
    for name, amount in operand.items():
        held = after.get(name)
        if held is None:
            after[name] = amount
        elif is_number(held):
            after[name] = _sum(held, amount)
    return after


def _union(profile: Properties | None, operand: Mapping[str, list[Any]]) -> Properties | None:
    after = dict(profile or {})
    for name, values in operand.items():
        held = after.get(name)
        if held is not None and not isinstance(held, list):
            continue
        merged = list(held or ())
        for value in values:
            if not any(same(value, other) for other in merged):
                merged.append(value)
        after[name] = merged
    return after


def _append(profile: Properties | None, operand: Mapping[str, Any]) -> Properties | None:
    after = dict(profile or {})
    for name, value in operand.items():
        held = after.get(name)
        if held is None:
            after[name] = [value]
        elif isinstance(held, list):
            after[name] = [*held, value]
    return after


def _remove(profile: Properties | None, operand: Mapping[str, Any]) -> Properties | None:
    if profile is None:
        return None
    after = dict(profile)
    for name, value in operand.items():
        held = after.get(name)
        if isinstance(held, list):
            after[name] = [other for other in held if not same(value, other)]
    return after


def _unset(profile: Properties | None, operand: list[str]) -> Properties | None:
    if profile is None:
        return None
    return {name: value for name, value in profile.items() if name not in operand}


def _delete(_profile: Properties | None, _operand: Operand) -> Properties | None:
    return None


OPERATIONS: Mapping[str, Callable[[Properties | None, Operand], Properties | None]] = {
    "$set": _set,
    "$set_once": _set_once,
    "$add": _add,
    "$union": _union,
    "$append": _append,
    "$remove": _remove,
    "$unset": _unset,
    "$delete": _delete,
}


def _sum(held: float, amount: float) -> float:
    total = held + amount
    return total if -(2**63) <= total < 2**63 else float(total)  # beyond, JSON libraries refuse whole numbers


def is_number(value: Any) -> bool:
    """Tell whether a JSON value is a number (Python counts true and false among them)."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(left: Any, right: Any) -> bool:
    """Tell whether two JSON values are the same: 1 is 1.0, but not true."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)
