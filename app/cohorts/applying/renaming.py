"""Replace a cohort's old name by its new one on every member, between pages and resumably."""

from dataclasses import replace

from app.cohorts.applying.changes import Step
from app.cohorts.applying.work import Work
from app.cohorts.commit import CHUNK
from app.cohorts.membership import Membership
from app.cohorts.pages import PageHead
from app.cohorts.record import CohortRecord, Rename
from config.rules import RuleSet

NAME = "cohort_name"


def begin_rename(work: Work, record: CohortRecord, head: PageHead, at_ms: int) -> None:
    """Take over a page's cohort name and description, and begin a rename if the name is another.

    A cohort renamed again before the first rename is through has several old names; the walk begins anew.
    """
    if head.description:
        record.description = head.description
    if not head.cohort_name or head.cohort_name == record.name:
        return
    old, record.name = record.name, head.cohort_name
    if not old:
        return
    entry = work.entry(record, "cohort.renamed", "sync", None, at_ms)
    work.pending.append(replace(entry, detail={"from": old, "to": record.name}))
    if record.entries and _concerns_rules(work.project.rules, record, old):
        names = dict.fromkeys([*record.old_names, old])
        names.pop(record.name, None)
        record.rename = Rename(list(names), at_ms, rules=work.rules)


def _concerns_rules(rules: RuleSet, record: CohortRecord, old: str) -> bool:
    """Say whether profiles should change with the name: a rule writes it, or goes by it."""
    before, after = rules.matching(record.cohort_id, old), rules.matching(record.cohort_id, record.name)
    operations = (operation for rule in before + after for operation in (*rule.entering, *rule.exit))
    return before != after or any(NAME in operation.names for operation in operations)


class Renaming:
    """Walks over a renamed cohort's buckets and logs each member again, under cause `rename`."""

    def __init__(self, membership: Membership) -> None:
        self._membership = membership

    def step(self, work: Work, record: CohortRecord) -> None:
        """Take the next buckets; a split meanwhile moves entries ahead of the walk, never behind it."""
        rename = record.rename
        if rename is None:
            return
        rules = rename.rules or work.rules  # the same for all, whichever process goes on with it
        step = Step(work, record, None, "rename", rename.at_ms, rules)
        count = min(record.buckets_at_once(CHUNK // 2), record.buckets - rename.cursor)
        if count <= 0:
            record.rename = None
            record.carried.renamed(rules, rename.old_names, record.name)
            entry = work.entry(record, "cohort.rename_completed", "rename", None, rename.at_ms)
            step.commit.log.append(replace(entry, detail={"from": rename.old_names, "to": record.name}))
        else:
            for bucket in self._membership.read_buckets(
                work.project_id, record.cohort_id, rename.cursor, count
            ):
                for packed_id, member in bucket.items():
                    if member.now:
                        step.reassert(packed_id)
            rename.cursor += count
        work.commit(step.sealed())
