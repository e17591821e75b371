"""Which links each entry of the change log causes.

| kind      | cause      | entered          | exited  | updated          |
|-----------|------------|------------------|---------|------------------|
| changes   | sync       | all of `links`   | nothing | all of `links`   |
| changes   | taken_back | all of `links`   | nothing | all of `links`   |
| changes   | reconcile  | all of `links`   | nothing | all of `links`   |
| changes   | any other  | nothing          | nothing | nothing          |
| any other | any        | nothing          | nothing | nothing          |

A link cannot be taken back, so an exit causes none. What is reasserted or renamed was linked when it entered.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from app.cohorts.changelog import Entry, Member
from app.destinations.identity.links import Link
from config.links import LinkRule
from config.rules import RuleSet
from config.templates import Context

_CAUSES: Final = frozenset({"sync", "taken_back", "reconcile"})


class _Named(NamedTuple):
    """A link of a rule, and where in the rules it stands."""

    rule: LinkRule
    name: str


def caused(project_id: str, entry: Entry, rules: RuleSet) -> Iterator[tuple[str, Link]]:
    """Give what an entry links, each with the member whose change caused it."""
    named = list(_named(entry, rules))
    for member in (*entry.entered, *entry.updated) if named else ():
        context = _context(project_id, entry, member)
        for rule, name in named:
            if ids := rule.rendered(context):
                why = {
                    "rule": name,
                    "cohort_id": entry.cohort_id,
                    "session_id": entry.session_id,
                    "sequence": entry.sequence,
                }
                yield member[0], Link(rule.verb, *ids, rule.allow_merge, entry.time_ms, why)


def linking_ids(project_id: str, entries: Iterable[Entry], rules: RuleSet) -> set[str]:
    """Name everybody whom entries link: the members, and both distinct_ids of each link."""
    return {
        node
        for entry in entries
        for distinct_id, link in caused(project_id, entry, rules)
        for node in (distinct_id, *link.nodes)
    }


def _named(entry: Entry, rules: RuleSet) -> Iterator[_Named]:
    if entry.kind != "changes" or entry.cause not in _CAUSES:
        return
    for number, rule in enumerate(rules.rules):
        if rule.links and rule.matches(entry.cohort_id, entry.cohort_name):
            for place, link in enumerate(rule.links):
                yield _Named(link, f"rules[{number}].links[{place}]")


def _context(project_id: str, entry: Entry, member: Member) -> Context:
    distinct_id, properties = member
    return Context(
        project_id,
        entry.cohort_id,
        entry.cohort_name,
        entry.session_id,
        entry.time_ms,
        distinct_id,
        properties,
    )
