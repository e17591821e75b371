"""Fill a new state with people and cohorts."""

from collections.abc import Callable, Iterable

from app.sandbox.clock import Clock
from app.sandbox.config import SandboxConfig
from app.sandbox.population.cohorts import demo_cohorts
from app.sandbox.population.people import person
from app.sandbox.store.cohorts import Cohorts
from app.sandbox.store.database import Database
from app.sandbox.store.meta import COHORTS, SEEDED_MS, Meta
from app.sandbox.store.profiles import Profiles, Properties


class Seeding:
    """Invents the project's people and cohorts, once."""

    def __init__(
        self,
        *,
        database: Database,
        meta: Meta,
        profiles: Profiles,
        cohorts: Cohorts,
        clock: Clock,
        config: SandboxConfig,
        first: Iterable[Callable[[], None]] = (),
    ) -> None:
        """Take what is filled, and what else makes its own part of a new state (`first`)."""
        self._database = database
        self._meta = meta
        self._profiles = profiles
        self._cohorts = cohorts
        self._clock = clock
        self._config = config
        self._first = tuple(first)

    def ensure(self) -> bool:
        """Fill the state if it is new; return whether it was."""
        with self._database.transaction():
            if self._meta.get(SEEDED_MS) is not None:
                return False
            self._fill()
            return True

    def again(self) -> None:
        """Forget people, cohorts and snapshots and invent them anew; counters go on."""
        with self._database.transaction():
            self._database.clear()
            self._meta.set(COHORTS, 0)
            self._fill()

    def _fill(self) -> None:
        now_ms = int(self._clock.now_s() * 1000)
        people: dict[str, Properties | None] = dict(
            person(self._config.seed, number) for number in range(self._config.profiles)
        )
        self._profiles.write(people, now_ms)
        for name, description, conditions in demo_cohorts(self._config.cohorts):
            self._cohorts.create(name, description, conditions)
        for fill in self._first:
            fill()
        self._meta.set(SEEDED_MS, now_ms)
