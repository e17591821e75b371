"""Whether members follow the rules that are configured."""

from collections.abc import Iterator

from app.status.checks import Check
from app.status.overview import ProjectStatus


def rule_checks(project: ProjectStatus) -> Iterator[Check]:
    """Tell that rules changed and members have not been migrated to them."""
    waiting = project.rules.to_apply if project.rules else ()
    if not waiting:
        return
    members = sum(each.members for each in waiting)
    cohorts = f"{len(waiting):,} cohort{'' if len(waiting) == 1 else 's'}"
    found = f"the rules changed, and {cohorts} of {members:,} members still have what others wrote"
    advice = "`flask rules plan` shows what follows, `flask rules apply` does it; see docs/rules.md"
    yield Check("rules", "warn", found, advice, project.id)
