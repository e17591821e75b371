"""Churn: each round some people leave every cohort and others enter."""

from dataclasses import dataclass
from random import Random

from app.sandbox.chance import seeded
from app.sandbox.population.membership import Population
from app.sandbox.store.cohorts import Cohort, Cohorts
from app.sandbox.store.database import Database
from app.sandbox.store.meta import CHURNS, Meta
from app.sandbox.store.profiles import Profiles


@dataclass(frozen=True)
class Churned:
    """What a round did to one cohort, as counts (people can also move by another cohort's churn)."""

    cohort_id: int
    entered: int
    left: int


class Churn:
    """Moves people in and out of cohorts, the same way for the same seed and round."""

    def __init__(
        self,
        *,
        database: Database,
        meta: Meta,
        cohorts: Cohorts,
        profiles: Profiles,
        population: Population,
        seed: int,
    ) -> None:
        self._database = database
        self._meta = meta
        self._cohorts = cohorts
        self._profiles = profiles
        self._population = population
        self._seed = seed

    def run(self, share: float) -> list[Churned]:
        """Exchange a `share` of every cohort (0 changes nobody)."""
        if share <= 0:
            return []
        with self._database.transaction():
            chance = seeded(self._seed, "churn", self._meta.count(CHURNS))
            return [
                self._exchange(cohort, share, chance) for cohort in self._cohorts.all() if cohort.conditions
            ]

    def _exchange(self, cohort: Cohort, share: float, chance: Random) -> Churned:
        members = self._population.members(cohort)
        others = self._profiles.matching("1", ()) - members
        average = max(len(members) * share, 2)
        leaving = _pick(members, average, chance)
        entering = _pick(others, average, chance)
        self._population.leave(cohort, leaving)
        self._population.enter(cohort, entering)
        return Churned(cohort.cohort_id, len(entering), len(leaving))


def _pick(people: set[str], average: float, chance: Random) -> list[str]:
    wanted = chance.randint(0, round(2 * average))
    return chance.sample(sorted(people), min(wanted, len(people)))
