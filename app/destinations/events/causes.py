"""Which events each entry of the change log causes.

| kind      | cause           | entered       | exited       | updated        |
|-----------|-----------------|---------------|--------------|----------------|
| changes   | sync            | `enter.event` | `exit.event` | `update.event` |
| changes   | taken_back      | `enter.event` | `exit.event` | `update.event` |
| changes   | reconcile       | `enter.event` | `exit.event` | `update.event` |
| changes   | any other       | nothing       | nothing      | nothing        |
| any other | any             | nothing       | nothing      | nothing        |

An event says that something happened, once. A rename, or asserting somebody once more, is nothing that
happened to the person, so neither is told. What a reconcile finds did happen, and no page tells it later:
naming somebody who is a member already changes nothing.
"""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from app.cohorts.changelog import Entry, Member
from config.events import Event
from config.rules import RuleSet

_TOLD: Final = frozenset({"sync", "taken_back", "reconcile"})
Way = Literal["exit", "enter", "update"]


class Telling(NamedTuple):
    """One event of a rule, about the members that an entry names in one way.

    Attributes:
        entry: the entry.
        way: what happened to the members.
        rule: the rule's place among the project's, from 0.
        event: what to tell.
    """

    entry: Entry
    way: Way
    rule: int
    event: Event

    @property
    def place(self) -> str:
        """Where the event stands in the projects file, within the project."""
        return f"rules[{self.rule}].{self.way}.event"

    @property
    def members(self) -> Iterator[Member]:
        """Whom it is about, with the properties that the log carries."""
        if self.way == "exit":
            return ((distinct_id, {}) for distinct_id in self.entry.exited)
        return iter(self.entry.entered if self.way == "enter" else self.entry.updated)


def tellings(entry: Entry, rules: RuleSet) -> Iterator[Telling]:
    """Look up what an entry of the change log causes; see this module's table. Exits come first."""
    if entry.kind != "changes" or entry.cause not in _TOLD:
        return
    matching = [
        (number, rule)
        for number, rule in enumerate(rules.rules)
        if rule.matches(entry.cohort_id, entry.cohort_name)
    ]
    for number, rule in matching:
        if rule.exit_event is not None and entry.exited:
            yield Telling(entry, "exit", number, rule.exit_event)
    for number, rule in matching:
        if rule.enter_event is not None and entry.entered:
            yield Telling(entry, "enter", number, rule.enter_event)
        if rule.update_event is not None and entry.updated:
            yield Telling(entry, "update", number, rule.update_event)
