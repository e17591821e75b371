"""What one rule set leaves on profiles that another would not, and how to get from the one to the other.

A member's profile carries what the rules wrote as the member entered. When the rules change, the members who
stay are named by nobody again, so what the old rules wrote is taken away, and what the new ones write is
written, for each of them. From the old rules that is what their exit takes away of what their entering
wrote: `$remove`, `$unset`, and a `$set` that puts a property back. Nothing else of an exit: nobody left. From
the new ones it is what entering does and can be done twice: neither `$add`, `$append` nor `$delete`, and
nothing that the relay does not keep of a member (`{member[...]}`, `{session_id}`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from config.rules import Operation, RuleSet
from config.templates import Context

_COUNTS: Final = frozenset({"$add", "$append"})
_LISTS: Final = frozenset({"$union", "$append", "$set"})
_WIPES: Final = frozenset({"$unset", "$set"})
_CLAIMS: Final = frozenset({"$union", "$append"})
_KNOWN: Final = frozenset({"cohort_id", "cohort_name", "project_id"})
_NOT_KEPT: Final = "session_id"


class Made(NamedTuple):
    """An operation as it is for every member of a cohort; equal for those that do the same.

    Attributes:
        kind: `$set`, ...
        property: its name, with placeholders of the member left as they are.
        value: as JSON, likewise.
        of_member: the placeholders that it has beyond the cohort's.
    """

    kind: str
    property: str
    value: bytes
    of_member: frozenset[str]


@dataclass(frozen=True, slots=True)
class Done:
    """An operation that a rule set causes in a cohort.

    Attributes:
        operation: which.
        cohort_name: the name that it is rendered with.
        made: what it comes to.
    """

    operation: Operation
    cohort_name: str
    made: Made

    @property
    def repeatable(self) -> bool:
        """Whether it can be done again for somebody of whom nothing is known but the id."""
        kept = _NOT_KEPT not in self.operation.names and not self.operation.members_used()
        return kept and self.operation.kind not in _COUNTS | {"$delete"}


class Effect:
    """What a rule set does to the members of one cohort under one name.

    Attributes:
        entering: what it does to whoever enters.
        leaving: what it does to whoever leaves; a `$remove` of several values is several.
    """

    def __init__(self, rules: RuleSet, cohort_id: str, cohort_name: str) -> None:
        matching = rules.matching(cohort_id, cohort_name)
        self.entering = _done((op for rule in matching for op in rule.entering), cohort_id, cohort_name)
        exits = (single for rule in matching for op in rule.exit for single in _singles(op))
        self.leaving = _done(exits, cohort_id, cohort_name)
        self._by_property: dict[str, set[Made]] = {}
        for each in self.entering:
            self._by_property.setdefault(each.made.property, set()).add(each.made)

    def on(self, name: str) -> frozenset[Made]:
        """Return what entering does to a property."""
        return frozenset(self._by_property.get(name, ()))

    def does(self, made: Made) -> bool:
        """Say whether entering does this."""
        return made in self._by_property.get(made.property, ())

    @property
    def properties(self) -> frozenset[str]:
        """Return the properties that entering writes."""
        return frozenset(self._by_property)


def undone(old: Effect, new: Effect) -> tuple[Done, ...]:
    """Return which operations take away what the old rules wrote and the new ones do not."""
    return tuple(each for each in old.leaving if _is_undone(each.made, old, new))


def redone(olds: Sequence[Effect], new: Effect) -> tuple[Done, ...]:
    """Return which operations write what the new rules write and the old ones, any of them, did not."""
    wiped = {each.made.property for old in olds for each in undone(old, new) if each.made.kind in _WIPES}
    return tuple(
        each
        for each in new.entering
        if each.repeatable and (each.made.property in wiped or any(not old.does(each.made) for old in olds))
    )


def unknown(olds: Sequence[Effect], new: Effect) -> tuple[Done, ...]:
    """Return what the new rules write from values that the relay does not keep, and the old ones did not."""
    return tuple(
        each
        for each in new.entering
        if each.operation.members_used() and any(not old.does(each.made) for old in olds)
    )


def uncounted(olds: Sequence[Effect], new: Effect) -> tuple[Done, ...]:
    """Return what the new rules do that must not be done for somebody who is in already."""
    return tuple(
        each
        for each in new.entering
        if not each.repeatable
        and not each.operation.members_used()
        and any(not old.does(each.made) for old in olds)
    )


def left(old: Effect, new: Effect) -> frozenset[str]:
    """Return properties that the old rules wrote, the new ones do not, and no exit takes away."""
    touched = {each.made.property for each in undone(old, new)}
    return old.properties - new.properties - touched - {""}


def settled(old: Effect, new: Effect) -> bool:
    """Say whether whoever has what the old rules wrote has all that the new ones write, and no more."""
    return not (undone(old, new) or redone([old], new) or unknown([old], new))


def _is_undone(made: Made, old: Effect, new: Effect) -> bool:
    mine, theirs = old.on(made.property), new.on(made.property)
    if made.kind == "$remove":
        written = any(each.kind in _LISTS for each in mine)
        return written and not any(made.value in _values(each) for each in theirs)
    if made.kind not in _WIPES or not mine or mine <= theirs:
        return False
    # What cannot be written again is not wiped: it may be the new rules', from whoever entered since.
    return all(each.kind not in _COUNTS and _can_follow(each) for each in theirs)


def _can_follow(made: Made) -> bool:
    return not any(name == _NOT_KEPT or name.startswith("member[") for name in made.of_member)


def _values(made: Made) -> list[bytes]:
    """Return the values that an operation puts into a list."""
    if made.kind not in _CLAIMS:
        return []
    value = orjson.loads(made.value) if made.kind == "$union" else None
    return [_json(one) for one in value] if isinstance(value, list) else [made.value]


def _done(operations: Iterable[Operation], cohort_id: str, cohort_name: str) -> tuple[Done, ...]:
    context = Context(
        "{project_id}", cohort_id, cohort_name, "{session_id}", 0, "{distinct_id}", _AnyMember()
    )
    return tuple(Done(op, cohort_name, _made(op, context)) for op in operations)


def _made(operation: Operation, context: Context) -> Made:
    rendered = operation.rendered(context)
    assert rendered is not None  # there is a value for every property
    name, value = rendered
    return Made(operation.kind, name, _json(value), operation.names - _KNOWN)


def _singles(operation: Operation) -> Iterator[Operation]:
    if operation.kind == "$remove" and isinstance(operation.value, list):
        for value in operation.value:
            yield Operation("$remove", operation.property, value)
    else:
        yield operation


def _json(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


class _AnyMember(Mapping[str, Any]):
    """A member that has every property: its placeholder."""

    def __getitem__(self, name: str) -> str:
        return f"{{member[{name}]}}"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
