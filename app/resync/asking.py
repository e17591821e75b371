"""Ask Mixpanel, and hold on to the lane meanwhile."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from functools import cached_property
from typing import Final, Protocol, TypeVar

from app.lanes.lanes import HeldLane
from app.mixpanel.query_answers import ListedCohort, MembersPage
from config.projects import Project

_KEEP_S: Final = 1.0
T = TypeVar("T")


class Query(Protocol):
    """Asks Mixpanel; `app.mixpanel.query.Query` does."""

    def cohorts(self, project: Project, *, spare: int = 0) -> list[ListedCohort]:
        """List the project's cohorts."""
        ...

    def page(
        self,
        project: Project,
        cohort_id: str,
        page: int,
        session_id: str | None = None,
        output_properties: Sequence[str] = (),
        *,
        page_size: int | None = None,
        spare: int = 0,
    ) -> MembersPage:
        """Read a page of a cohort's members."""
        ...


class Asking:
    """Makes one query at a time, in a thread: it may take longer than a lease."""

    def ask(self, lane: HeldLane, query: Callable[[], T]) -> T:
        """Make a query and return its answer, or raise what it raises.

        Raises:
            LaneLost: somebody else holds the lane by now.
        """
        asked = self._pool.submit(query)
        while True:
            try:
                return asked.result(timeout=_KEEP_S)
            except NotYet:
                if asked.done():
                    raise
                lane.keep()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=1, thread_name_prefix="resync")
