"""Whom entries of the change log link by rules."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from app.cohorts.changelog import Entry
from config.links import DEVICE_PREFIX
from config.rules import RuleSet
from config.templates import Context

_CAUSES: Final = frozenset({"sync", "taken_back"})


class NoLinks:
    """An identity outbox that nobody fills."""

    def pending(self, project_id: str, ids: Sequence[str]) -> Collection[str]:
        """Say that none of these ids has a link waiting."""
        del project_id, ids
        return ()


def linking_ids(entries: Sequence[Entry], rules: RuleSet) -> set[str]:
    """Name everybody whom entries link: the members, and both ids of each link."""
    return {distinct_id for entry in entries for distinct_id in _of_entry(entry, rules)}


def _of_entry(entry: Entry, rules: RuleSet) -> Iterator[str]:
    if entry.kind != "changes" or entry.cause not in _CAUSES:
        return
    links = [link for rule in rules.matching(entry.cohort_id, entry.cohort_name) for link in rule.links]
    for distinct_id, properties in (*entry.entered, *entry.updated) if links else ():
        context = Context(
            "", entry.cohort_id, entry.cohort_name, entry.session_id, entry.time_ms, distinct_id, properties
        )
        for link in links:
            if ids := link.rendered(context):
                second = DEVICE_PREFIX + ids[1] if link.verb == "device" else ids[1]
                yield from (distinct_id, ids[0], second)
