"""Mixpanel at work while something else happens: churn and syncs, round after round, in a thread."""

from threading import Event, Thread
from types import TracebackType
from typing import Self

from tests.e2e.sandbox_client import SandboxClient, Sync

JOIN_S = 60.0


class Traffic:
    """Runs while its `with` block does.

    Args:
        sandbox: whose cohorts.
        share: churn a round.
    """

    def __init__(self, sandbox: SandboxClient, share: float = 0.1) -> None:
        self.syncs: list[Sync] = []
        self._sandbox = sandbox
        self._share = share
        self._stop = Event()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="traffic", daemon=True)

    @property
    def states(self) -> set[str]:
        """How syncs ended so far."""
        return {sync.state for sync in self.syncs}

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._sandbox.churn(self._share)
                for cohort_id in self._sandbox.cohorts():
                    self.syncs += self._sandbox.sync(cohort_id)
        except BaseException as error:  # noqa: BLE001 -- handed to the test's thread, which raises it
            self._error = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(JOIN_S)
        if error is None and self._error is not None:
            raise self._error
        assert not self._thread.is_alive(), "a sync does not come to an end"
