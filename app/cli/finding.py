"""Find the one cohort that a command is about."""

from collections.abc import Iterable

from app.cli.formatting import clean
from app.cli.opening import chosen_projects, end
from app.services import Services
from app.status.cohorts import Found, find_cohorts


def one_cohort(services: Services, wanted: str, project_id: str | None, *, as_json: bool) -> Found:
    """Return the cohort of this id or name; where there is none, or several, the command ends."""
    found = find_cohorts(services, chosen_projects(services.settings, project_id), wanted)
    if len(found) != 1:
        end([not_one(wanted, found)], as_json=as_json)
    return found[0]


def names_of(services: Services, project_ids: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return the cohorts' names, fit for a cell, by project and cohort."""
    return {
        (each, cohort.id): clean(cohort.name)
        for each in project_ids
        for cohort in services.cohorts.list(each)
    }


def not_one(wanted: str, found: list[Found]) -> str:
    """Say that there is no such cohort, or several."""
    if not found:
        return f'No cohort has the id or the name "{clean(wanted)}"; `flask cohorts list` shows all.'
    which = ", ".join(f"{each.cohort.id} of project {each.project_id}" for each in found)
    return f'"{clean(wanted)}" is several cohorts: {which}. Give the id, and --project.'
