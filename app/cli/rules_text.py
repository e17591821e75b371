"""How changed rules are shown: a plan, and how members stand to them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from app.cli.formatting import clean, moment, number, plural, table
from app.resync.rule_changes import RulesStatus
from app.resync.rule_plan import CohortPlan, RulePlan

_SHORT: Final = 12
_SHOWN: Final = 5


def plan_text(plan: RulePlan) -> str:
    """Write a plan in full."""
    lines = [_head(plan)]
    if not plan.cohorts:
        lines.append("Nothing to do: all members follow these rules.")
        return "\n".join(lines)
    lines.append(
        f"{number(len(plan.cohorts))} of {plural(plan.known, 'cohort')}, {plural(plan.members, 'member')};"
        f" at most {_counts(plan.operations)}."
    )
    for each in plan.cohorts:
        lines += _cohort_lines(each)
    return "\n".join(lines)


def _head(plan: RulePlan) -> str:
    head = f"Project {plan.project_id}: rules {plan.rules[:_SHORT]}"
    if plan.used and plan.used != plan.rules:
        head += (
            f"\nThe workers last used other rules ({plan.used[:_SHORT]}). If they still run with those:"
            " restart them first, or whoever enters meanwhile follows those."
        )
    return head


def _cohort_lines(each: CohortPlan) -> Iterator[str]:
    name = clean(each.cohort_name)
    yield f"\n  {each.cohort_id}  {name}  {plural(each.members, 'member')}  {_counts(each.operations)}"
    yield from _operations("-", each.undone)
    yield from _operations("+", each.redone)
    if each.not_repeated:
        yield "    only for whoever enters from now on:"
        yield from _operations("*", each.not_repeated)
    if each.needs_values:
        yield f"    values of members, as they change or by a reconcile: {_listed(each.needs_values)}"
        options = " ".join(f"--output-property {clean(name)}" for name in each.reads)
        yield f"      flask cohorts resync {each.cohort_id} --mode reconcile {options}"
    if each.left:
        yield f"    stay as old rules wrote them, as no exit takes them away: {_listed(each.left)}"


def _operations(mark: str, operations: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for each in operations[:_SHOWN]:
        yield f"    {mark} {clean(orjson.dumps(each).decode(), 100)}"
    if len(operations) > _SHOWN:
        yield f"    {mark} and {len(operations) - _SHOWN} more"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(clean(name) for name in names)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number(count)} {kind}" for kind, count in counts.items()) or "no operation"


def status_line(status: RulesStatus) -> str:
    """Write in a line how a project's members stand to its rules."""
    plan = status.plan
    left, under_way = len(status.to_apply), len(status.migrating)
    if not plan.cohorts and not under_way:
        return f"Project {plan.project_id}: all members follow the rules {plan.rules[:_SHORT]}."
    return (
        f"Project {plan.project_id}: {plural(under_way, 'cohort')} being migrated, {number(left)} to be"
        f" (flask rules plan), of {number(plan.known)}."
    )


def status_text(status: RulesStatus) -> str:
    """Write in full how a project's members stand to its rules."""
    lines = [_head(status.plan), status_line(status)]
    if status.asked_ms:
        lines.append(f"Last applied {moment(status.asked_ms)} by {clean(status.asked_by)}.")
    rows = [
        (each.cohort_id, clean(each.cohort_name), number(each.members), f"{each.share:.0%} migrated")
        for each in status.migrating
    ]
    rows += [
        (each.cohort_id, clean(each.cohort_name), number(each.members), "to be applied")
        for each in status.to_apply
    ]
    if rows:
        lines.append(table(("cohort", "name", "members", "state"), rows, numbers=("members",)))
    return "\n".join(lines)
