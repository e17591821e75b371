"""Find cohorts by id or name, and show one closely."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.cohorts.registry import Cohort, Session
from app.services import Services


@dataclass(frozen=True, slots=True)
class Found:
    """A cohort and whose it is."""

    project_id: str
    cohort: Cohort


@dataclass(frozen=True, slots=True)
class CohortDetail:
    """One cohort closely, with the newest sessions first."""

    project_id: str
    cohort: Cohort
    sessions: Sequence[Session]


def list_cohorts(services: Services, project_ids: Iterable[str]) -> list[Found]:
    """Return these projects' cohorts, by project and name.

    Raises:
        RedisError: the Redis that holds the state cannot be asked.
    """
    return [
        Found(project_id, cohort)
        for project_id in project_ids
        for cohort in services.cohorts.list(project_id)
    ]


def find_cohorts(services: Services, project_ids: Iterable[str], wanted: str) -> list[Found]:
    """Return the cohorts with this id; where there is none, those with this name, whatever its case."""
    ids = list(project_ids)
    by_id = [
        Found(project_id, cohort)
        for project_id in ids
        if (cohort := services.cohorts.get(project_id, wanted)) is not None
    ]
    name = wanted.casefold()
    return by_id or [each for each in list_cohorts(services, ids) if each.cohort.name.casefold() == name]


def read_detail(services: Services, found: Found, newest: int) -> CohortDetail:
    """Return a cohort with its `newest` newest sessions."""
    sessions = services.cohorts.sessions(found.project_id, found.cohort.id, newest)
    return CohortDetail(found.project_id, found.cohort, sessions)
