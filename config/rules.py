"""Rules: what entering, leaving and changing within a cohort cause: profile operations, events, links."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

import orjson

from config.events import Event
from config.links import LinkRule
from config.templates import MISSING, Context, Template, escape, members_used, of_member

_EVENTS: Final = ("enter_event", "exit_event", "update_event")
KINDS: Final = ("$set", "$set_once", "$add", "$union", "$remove", "$append", "$unset", "$delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """One profile operation on one property.

    `property` is a template ("" for `$delete`); `value` is JSON with templates (None for `$unset` and
    `$delete`; a list or one `{member[...]}` for `$union`).
    """

    kind: str
    property: str
    value: Any = field(default=None, hash=False)
    names: frozenset[str] = field(init=False, repr=False, compare=False)
    _property: Template = field(init=False, repr=False, compare=False)
    _value: Template = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the templates, so that rendering costs little.

        Raises:
            TemplateError: the property or the value is no template.
        """
        object.__setattr__(self, "_property", Template(self.property))
        object.__setattr__(self, "_value", Template(self.value))
        object.__setattr__(self, "names", self._property.names | self._value.names)

    def rendered(self, context: Context) -> tuple[str, Any] | None:
        """Give the property and the value for one member.

        Returns:
            None when a member property it needs is missing or null: the operation is left out then.
            The value may be shared with other members, so it must not be changed in place.
        """
        name = self._property.render(context)
        value = self._value.render(context)
        if name is MISSING or value is MISSING:
            return None
        if self.kind == "$union" and not isinstance(value, list):
            value = [value]
        return name if isinstance(name, str) else orjson.dumps(name).decode(), value

    def members_used(self) -> frozenset[str]:
        """Name the member properties that it needs."""
        return members_used([self.property, self.value])


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to the members of the cohorts it matches; with neither ids nor names, of every cohort.

    `links` are for whoever enters, and whoever's exported properties change. `copy` maps a member's property
    to the profile property that it sets on entering and on an update. `entering` and `updating` are `enter`
    and `update` preceded by these copies: what a destination applies.
    """

    cohort_ids: frozenset[str] = frozenset()
    cohort_names: tuple[str, ...] = ()
    enter: tuple[Operation, ...] = ()
    exit: tuple[Operation, ...] = ()
    update: tuple[Operation, ...] = ()
    copy: Mapping[str, str] = field(default_factory=dict, hash=False)
    enter_event: Event | None = None
    exit_event: Event | None = None
    update_event: Event | None = None
    links: tuple[LinkRule, ...] = ()
    entering: tuple[Operation, ...] = field(init=False, repr=False, compare=False)
    updating: tuple[Operation, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Turn `copy` into operations."""
        copies = tuple(
            Operation("$set", escape(target), of_member(source))
            for source, target in sorted(self.copy.items())
        )
        object.__setattr__(self, "entering", copies + self.enter)
        object.__setattr__(self, "updating", copies + self.update)

    def matches(self, cohort_id: str, cohort_name: str) -> bool:
        """Say whether it is for this cohort: its id is listed or its name fits a pattern (case counts)."""
        if not self.cohort_ids and not self.cohort_names:
            return True
        return cohort_id in self.cohort_ids or any(fnmatchcase(cohort_name, p) for p in self.cohort_names)

    def exported(self) -> frozenset[str]:
        """Name the member properties that entering, updating and linking need."""
        events = (event for event in (self.enter_event, self.update_event) if event is not None)
        return frozenset().union(
            *(operation.members_used() for operation in self.entering + self.updating),
            *(event.members_used() for event in events),
            *(link.members_used() for link in self.links),
        )


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A project's rules, in the file's order. Every rule that matches a cohort applies."""

    rules: tuple[Rule, ...] = ()

    def matching(self, cohort_id: str, cohort_name: str) -> tuple[Rule, ...]:
        """Give the rules for a cohort, in file order."""
        return tuple(rule for rule in self.rules if rule.matches(cohort_id, cohort_name))

    def exported(self, cohort_id: str, cohort_name: str) -> frozenset[str]:
        """Name the member properties that the change log must carry for a cohort."""
        return frozenset().union(*(rule.exported() for rule in self.matching(cohort_id, cohort_name)))

    @property
    def has_events(self) -> bool:
        """Whether any rule has an event, for whatever occasion."""
        return any(rule.enter_event or rule.exit_event or rule.update_event for rule in self.rules)

    @property
    def has_links(self) -> bool:
        """Whether any rule has a link."""
        return any(rule.links for rule in self.rules)

    def to_json(self) -> bytes:
        """Encode canonically: equal rule sets give equal bytes."""
        return orjson.dumps([_rule_to_json(rule) for rule in self.rules], option=orjson.OPT_SORT_KEYS)

    @classmethod
    def from_json(cls, encoded: bytes) -> "RuleSet":
        """Decode what `to_json` encoded."""
        return cls(tuple(_rule_from_json(rule) for rule in orjson.loads(encoded)))

    @property
    def digest(self) -> str:
        """Name this very rule set: 64 hexadecimal digits, the same in every process."""
        return hashlib.sha256(self.to_json()).hexdigest()


def _rule_to_json(rule: Rule) -> dict[str, Any]:
    """Encode; what a rule does not have is left out, so that a new ability changes no digest."""
    events = {name: event.to_json() for name in _EVENTS if (event := getattr(rule, name)) is not None}
    links = {"links": [link.to_json() for link in rule.links]} if rule.links else {}
    return (
        events
        | links
        | {
            "cohort_ids": sorted(rule.cohort_ids),
            "cohort_names": rule.cohort_names,
            "copy": dict(rule.copy),
            "enter": [(op.kind, op.property, op.value) for op in rule.enter],
            "exit": [(op.kind, op.property, op.value) for op in rule.exit],
            "update": [(op.kind, op.property, op.value) for op in rule.update],
        }
    )


def _rule_from_json(rule: dict[str, Any]) -> Rule:
    return Rule(
        cohort_ids=frozenset(rule["cohort_ids"]),
        cohort_names=tuple(rule["cohort_names"]),
        copy=rule["copy"],
        enter=_operations_from_json(rule["enter"]),
        exit=_operations_from_json(rule["exit"]),
        update=_operations_from_json(rule["update"]),
        enter_event=Event.from_json(rule.get("enter_event")),
        exit_event=Event.from_json(rule.get("exit_event")),
        update_event=Event.from_json(rule.get("update_event")),
        links=tuple(LinkRule.from_json(link) for link in rule.get("links", ())),
    )


def _operations_from_json(operations: list[list[Any]]) -> tuple[Operation, ...]:
    return tuple(Operation(kind, name, value) for kind, name, value in operations)


DEFAULT_RULES: Final = RuleSet(
    (
        Rule(
            enter=(Operation("$union", "Cohorts", ["{cohort_name}"]),),
            exit=(Operation("$remove", "Cohorts", "{cohort_name}"),),
        ),
    )
)
