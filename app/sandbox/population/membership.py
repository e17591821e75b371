"""Who is in a cohort now, and moving people in and out of one."""

from collections.abc import Collection, Sequence

from app.sandbox.chance import seeded
from app.sandbox.clock import Clock
from app.sandbox.population.conditions import to_sql
from app.sandbox.population.people import described
from app.sandbox.store.cohorts import Cohort
from app.sandbox.store.database import Database
from app.sandbox.store.identities import Identities
from app.sandbox.store.profiles import Profiles, Properties


class Population:
    """Cohort membership as the profiles imply it."""

    def __init__(
        self, database: Database, profiles: Profiles, identities: Identities, clock: Clock, seed: int
    ) -> None:
        self._database = database
        self._profiles = profiles
        self._identities = identities
        self._clock = clock
        self._seed = seed

    def members(self, cohort: Cohort) -> set[str]:
        """Return the ids of everybody who meets the cohort's conditions at this moment."""
        return self._profiles.matching(*to_sql(cohort.conditions))

    def enter(self, cohort: Cohort, distinct_ids: Sequence[str]) -> None:
        """Change the given profiles so that they meet the conditions; who has no profile is invented."""
        with self._database.transaction():
            people = self._people(distinct_ids)
            known = self._profiles.properties(people)
            changed: dict[str, Properties | None] = {}
            for distinct_id in people:
                chance = seeded(self._seed, "enter", cohort.cohort_id, distinct_id)
                properties = known.get(distinct_id) or described(chance, chance.randrange(10**6))
                meeting = {item.property: item.meeting(chance) for item in cohort.conditions}
                changed[distinct_id] = properties | meeting
            self._profiles.write(changed, self._now_ms())

    def leave(self, cohort: Cohort, distinct_ids: Collection[str]) -> None:
        """Change the given profiles so that they no longer meet the cohort's first condition."""
        with self._database.transaction():
            changed: dict[str, Properties | None] = {}
            for distinct_id, properties in self._profiles.properties(self._people(distinct_ids)).items():
                chance = seeded(self._seed, "leave", cohort.cohort_id, distinct_id)
                breaking = cohort.conditions[0]
                changed[distinct_id] = properties | {breaking.property: breaking.breaking(chance)}
            self._profiles.write(changed, self._now_ms())

    def _people(self, distinct_ids: Collection[str]) -> list[str]:
        """Return the ids under which the given people's profiles are kept."""
        canonical = self._identities.resolved(distinct_ids)
        return list(dict.fromkeys(canonical.get(one, one) for one in distinct_ids))

    def _now_ms(self) -> int:
        return int(self._clock.now_s() * 1000)
