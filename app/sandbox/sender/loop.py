"""Rounds of syncs: every interval, some churn and then each cohort in turn."""

import threading
from collections.abc import Callable

from app.sandbox.clock import Clock, SandboxClock
from app.sandbox.config import Controls
from app.sandbox.population.churn import Churn
from app.sandbox.sender.delivery import Delivery
from app.sandbox.sender.sync import CohortSync
from app.sandbox.store.cohorts import Cohorts, UnknownCohortError
from app.sandbox.store.meta import CLOCK_OFFSET_S, Meta

IDLE_S = 0.2  # real seconds between looks at whether anything is to be done


class Rounds:
    """Decides when a round is due, and runs it."""

    def __init__(
        self,
        *,
        cohorts: Cohorts,
        sync: CohortSync,
        delivery: Delivery,
        churn: Churn,
        controls: Controls,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self._cohorts = cohorts
        self._sync = sync
        self._delivery = delivery
        self._churn = churn
        self._controls = controls
        self._clock = clock
        self._stop = stop
        self._due_s: float | None = None
        self._asked = False

    def ask(self) -> None:
        """Make the next round due at once."""
        self._asked = True

    def run_if_due(self) -> bool:
        """Run a round if it is time; return whether one ran.

        Until the first export ever has succeeded, a webhook that does not listen is waited for, without a
        failed sync.
        """
        now_s = self._clock.now_s()
        if not self._asked and not (self._controls.sender.automatic and now_s >= (self._due_s or 0)):
            return False
        begun = any(cohort.snapshot_ms is not None for cohort in self._cohorts.all())
        if not begun and not self._delivery.listening():
            return False
        self._asked = False
        self._due_s = now_s + self._controls.sender.interval_s
        self._round(begun)
        return True

    def _round(self, begun: bool) -> None:
        if begun:
            self._churn.run(self._controls.churn)
        for cohort in self._cohorts.all():
            if self._stop.is_set():
                return
            try:
                self._sync.run(cohort.cohort_id)
            except UnknownCohortError:
                continue  # deleted meanwhile


class SyncLoop(threading.Thread):
    """The thread that runs the rounds until `stop` is set."""

    def __init__(
        self,
        rounds: Rounds,
        meta: Meta,
        clock: SandboxClock,
        stop: threading.Event,
        on_error: Callable[[], None],
    ) -> None:
        super().__init__(name="sandbox-sender", daemon=True)
        self._rounds = rounds
        self._meta = meta
        self._clock = clock
        self._stop_event = stop
        self._on_error = on_error

    def run(self) -> None:
        """Run rounds when they are due."""
        while not self._stop_event.wait(IDLE_S):
            try:
                if self._rounds.run_if_due():
                    self._meta.set(CLOCK_OFFSET_S, self._clock.offset_s())
            except Exception:  # noqa: BLE001 -- the thread's edge: the sender goes on at its next turn
                self._on_error()
