"""Who is in a cohort now, and moving people in and out of one."""

from collections.abc import Collection, Sequence

from app.sandbox.chance import seeded
from app.sandbox.clock import Clock
from app.sandbox.population.conditions import to_sql
from app.sandbox.population.people import described
from app.sandbox.store.cohorts import Cohort
from app.sandbox.store.database import Database
from app.sandbox.store.profiles import Profiles, Properties


class Population:
    """Cohort membership as the profiles imply it."""

    def __init__(self, database: Database, profiles: Profiles, clock: Clock, seed: int) -> None:
        self._database = database
        self._profiles = profiles
        self._clock = clock
        self._seed = seed

    def members(self, cohort: Cohort) -> set[str]:
        """Return the ids of everybody who meets the cohort's conditions at this moment."""
        return self._profiles.matching(*to_sql(cohort.conditions))

    def enter(self, cohort: Cohort, distinct_ids: Sequence[str]) -> None:
        """Change the given profiles so that they meet the conditions; who has no profile is invented."""
        with self._database.transaction():
            known = self._profiles.properties(distinct_ids)
            changed: dict[str, Properties | None] = {}
            for distinct_id in distinct_ids:
                chance = seeded(self._seed, "enter", cohort.cohort_id, distinct_id)
                properties = known.get(distinct_id) or described(chance, chance.randrange(10**6))
                meeting = {item.property: item.meeting(chance) for item in cohort.conditions}
                changed[distinct_id] = properties | meeting
            self._profiles.write(changed, self._now_ms())

    def leave(self, cohort: Cohort, distinct_ids: Collection[str]) -> None:
        """Change the given profiles so that they no longer meet the cohort's first condition."""
        with self._database.transaction():
            changed: dict[str, Properties | None] = {}
            for distinct_id, properties in self._profiles.properties(list(distinct_ids)).items():
                chance = seeded(self._seed, "leave", cohort.cohort_id, distinct_id)
                breaking = cohort.conditions[0]
                changed[distinct_id] = properties | {breaking.property: breaking.breaking(chance)}
            self._profiles.write(changed, self._now_ms())

    def _now_ms(self) -> int:
        return int(self._clock.now_s() * 1000)
