"""Which operations each entry of the change log causes.

| kind      | cause      | entered                                | exited              | updated          |
|-----------|------------|----------------------------------------|---------------------|------------------|
| changes   | sync       | all of `copy` and `enter`              | `exit`, old names   | `copy`, `update` |
| changes   | taken_back | all of `copy` and `enter`              | `exit`, old names   | `copy`, `update` |
| changes   | reconcile  | all of `copy` and `enter`              | `exit`, old names   | `copy`, `update` |
| changes   | reasserted | `enter`: `$set`, `$set_once`, `$union` | nothing             | nothing          |
|           |            | without `{member[..]}`                 |                     |                  |
| changes   | rename     | old names removed, the new one set     | nothing             | nothing          |
| changes   | rules      | what old rules wrote is removed, what  | nothing             | nothing          |
|           |            | these write and can be repeated is set |                     |                  |
| changes   | replay     | as reasserted                          | nothing             | nothing          |
| changes   | any other  | nothing                                | nothing             | nothing          |
| any other | any        | nothing                                | nothing             | nothing          |

**Rename.** A rule that still matches the cohort has what mentions `{cohort_name}` done again: its exit's
`$remove` and `$unset` with each old name, its enter operations (neither `$add` nor `$append`, nothing of the
member: the log does not carry it here) with the new name. Other exit operations are left out: nobody left. A
rule whose name pattern fits only the old name is left like a cohort; one that fits only the new name is
entered like a cohort.

**Old names.** While a rename goes on, `old_names` of an entry lists the names that some profiles may still
carry, so an exit removes these, too.

**Old rules.** An entry is delivered by the rules that it names, whichever process delivers it. Until members
were migrated to these, `old_rules` of an entry lists by which others, and under which name, some profiles may
have been written, so an exit takes that away, too (`config.rule_changes` says what).
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from app.cohorts.changelog import Entry
from app.destinations.profiles.operations import COUNTS
from config.rule_changes import Done, Effect, redone, undone
from config.rules import Operation, Rule, RuleSet

_FULL: Final = frozenset({"sync", "taken_back", "reconcile"})
_AGAIN: Final = frozenset({"reasserted", "replay"})
_REASSERTED: Final = frozenset({"$set", "$set_once", "$union"})
_REMOVALS: Final = frozenset({"$remove", "$unset"})
_NO_OTHERS: Final[Mapping[str, RuleSet]] = MappingProxyType({})


class Act(NamedTuple):
    """One operation of a rule, to be rendered for the members it concerns.

    Attributes:
        operation: what to do.
        cohort_name: the name to render it with, which a rename makes differ from the entry's.
        leaving: whether an exit causes it.
    """

    operation: Operation
    cohort_name: str
    leaving: bool


class Acts(NamedTuple):
    """What an entry causes, for each way in which it names a member."""

    entered: tuple[Act, ...] = ()
    exited: tuple[Act, ...] = ()
    updated: tuple[Act, ...] = ()


def acts(entry: Entry, rules: RuleSet, others: Mapping[str, RuleSet] = _NO_OTHERS) -> Acts:
    """Look up what an entry of the change log causes; see this module's table.

    Args:
        entry: the entry.
        rules: by which it is delivered.
        others: the rules that its `old_rules` name, by digest.
    """
    if entry.kind != "changes":
        return Acts()
    matching = rules.matching(entry.cohort_id, entry.cohort_name)
    if entry.cause in _FULL:
        return Acts(
            entered=_under(entry.cohort_name, (op for rule in matching for op in rule.entering)),
            exited=(
                *_taken_away(entry, rules, others),
                *_under(entry.cohort_name, (op for rule in matching for op in rule.exit), leaving=True),
                *_old_names(entry, rules, matching),
            ),
            updated=_under(entry.cohort_name, (op for rule in matching for op in rule.updating)),
        )
    if entry.cause in _AGAIN:
        again = (
            op for rule in matching for op in rule.enter if op.kind in _REASSERTED and not _of_member(op)
        )
        return Acts(entered=_under(entry.cohort_name, again))
    if entry.cause == "rename":
        return Acts(entered=(*_old_names(entry, rules, matching), *_new_name(entry, rules, matching)))
    if entry.cause == "rules":
        new = Effect(rules, entry.cohort_id, entry.cohort_name)
        written = redone(_old_effects(entry, others), new)
        return Acts(entered=(*_taken_away(entry, rules, others), *_as_acts(written)))
    return Acts()


def _under(name: str, operations: Iterable[Operation], *, leaving: bool = False) -> tuple[Act, ...]:
    return tuple(Act(operation, name, leaving) for operation in operations)


def _old_effects(entry: Entry, others: Mapping[str, RuleSet]) -> list[Effect]:
    return [
        Effect(others[digest], entry.cohort_id, name) for digest, name in entry.old_rules if digest in others
    ]


def _taken_away(entry: Entry, rules: RuleSet, others: Mapping[str, RuleSet]) -> tuple[Act, ...]:
    """Take away what old rules wrote, and these do not, once each."""
    if not entry.old_rules:
        return ()
    new = Effect(rules, entry.cohort_id, entry.cohort_name)
    found = {done.made: done for old in _old_effects(entry, others) for done in undone(old, new)}
    return _as_acts(found.values(), leaving=True)


def _as_acts(done: Iterable[Done], *, leaving: bool = False) -> tuple[Act, ...]:
    return tuple(Act(each.operation, each.cohort_name, leaving) for each in done)


def _of_member(operation: Operation) -> bool:
    return bool(operation.members_used())


def _old_names(entry: Entry, rules: RuleSet, matching: tuple[Rule, ...]) -> tuple[Act, ...]:
    """Undo what the rules did under each old name."""
    found: list[Act] = []
    for old in entry.old_names:
        for rule in rules.matching(entry.cohort_id, old):
            undone = (op for op in rule.exit if _undoes(op, still_matching=rule in matching))
            found.extend(_under(old, undone, leaving=True))
    return tuple(found)


def _undoes(operation: Operation, *, still_matching: bool) -> bool:
    if still_matching:
        return operation.kind in _REMOVALS and "cohort_name" in operation.names
    return operation.kind not in COUNTS and operation.kind != "$delete"


def _new_name(entry: Entry, rules: RuleSet, matching: tuple[Rule, ...]) -> tuple[Act, ...]:
    """Do what the rules do under the new name, as far as the log's entry suffices for it."""
    matched = [rule for old in entry.old_names for rule in rules.matching(entry.cohort_id, old)]
    done = (
        op
        for rule in matching
        for op in rule.enter
        if (rule not in matched or "cohort_name" in op.names) and _can_be_renamed(op)
    )
    return _under(entry.cohort_name, done)


def _can_be_renamed(operation: Operation) -> bool:
    return operation.kind not in COUNTS and operation.kind != "$delete" and not _of_member(operation)
