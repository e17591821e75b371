"""One sync of one cohort: plan it against the last successful snapshot, send it, replace that on success."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from app.sandbox.clock import Clock
from app.sandbox.config import Controls
from app.sandbox.faults import Faults
from app.sandbox.population.membership import Population
from app.sandbox.sender.delivery import Delivery, SyncFailedError, SyncPausedError
from app.sandbox.sender.payload import render
from app.sandbox.sender.plan import Page, Plan, plan_diff, plan_full
from app.sandbox.store.cohorts import Cohort, Cohorts
from app.sandbox.store.meta import SEEDED_MS, SESSIONS, Meta
from app.sandbox.store.profiles import Profiles
from app.sandbox.store.snapshots import Snapshots


@dataclass(frozen=True)
class SyncResult:
    """What became of a sync: `state` is done, failed, paused (by it) or skipped (was paused before)."""

    cohort_id: int
    cohort_name: str
    state: str
    kind: str = ""
    session_id: str = ""
    entered: int = 0
    exited: int = 0
    members: int = 0
    pages: int = 0
    reason: str = ""
    at_ms: int = 0
    took_s: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


@dataclass(frozen=True)
class SyncStores:
    """What a sync reads and writes."""

    meta: Meta
    cohorts: Cohorts
    profiles: Profiles
    snapshots: Snapshots
    population: Population


class CohortSync:
    """Syncs cohorts over one connection, one after another."""

    def __init__(
        self,
        *,
        stores: SyncStores,
        delivery: Delivery,
        controls: Controls,
        faults: Faults,
        clock: Clock,
        project_id: str,
        log: Any,
    ) -> None:
        self._stores = stores
        self._delivery = delivery
        self._controls = controls
        self._faults = faults
        self._clock = clock
        self._project_id = project_id
        self._log = log
        self._connection = threading.Lock()
        self._late: dict[int, list[tuple[Page, bytes]]] = {}

    def run(self, cohort_id: int, *, full: bool = False) -> SyncResult:
        """Sync a cohort; `full` exports all of it, as Mixpanel does to refresh a receiver."""
        with self._connection:
            cohort = self._stores.cohorts.get(cohort_id)
            if cohort.paused is not None:
                return SyncResult(cohort_id, cohort.name, "skipped", reason=cohort.paused)
            return self._sync(cohort, full)

    @contextmanager
    def idle(self) -> Iterator[None]:
        """Wait for the sync under way, if any, and hold back the next."""
        with self._connection:
            yield

    def _sync(self, cohort: Cohort, full: bool) -> SyncResult:
        started = time.monotonic()
        at_ms = int(self._clock.now_s() * 1000)
        late = self._late.pop(cohort.cohort_id, [])
        members = self._stores.population.members(cohort)
        plan = self._plan(cohort, members, at_ms, full)
        session_id = plan.calls[-1][-1].session_id if plan.calls else ""
        state, reason = self._send(cohort, plan)
        if state == "done":
            self._stores.snapshots.replace(cohort.cohort_id, members, at_ms)
        elif state == "paused":
            self._stores.cohorts.pause(cohort.cohort_id, reason)
        result = SyncResult(
            cohort_id=cohort.cohort_id,
            cohort_name=cohort.name,
            state=state,
            kind=plan.kind,
            session_id=session_id,
            entered=plan.entered,
            exited=plan.exited,
            members=len(members),
            pages=sum(len(call) for call in plan.calls),
            reason=reason,
            at_ms=at_ms,
            took_s=round(time.monotonic() - started, 3),
        )
        self._stores.cohorts.finish(cohort.cohort_id, session_id, result.to_json())
        self._tell(result)
        for page, body in late:
            self._delivery.copy(page, body, cohort.cohort_id)
        return result

    def _plan(self, cohort: Cohort, members: set[str], at_ms: int, full: bool) -> Plan:
        habits, sender = self._controls.habits, self._controls.sender
        session = self._sessions(cohort)
        if cohort.snapshot_ms is None:
            return plan_full(members, habits.first_sync, habits, session)
        if full:
            return plan_full(members, "members", habits, session)
        if at_ms - cohort.snapshot_ms > sender.snapshot_lifetime_s * 1000:
            return plan_full(members, habits.expired_by, habits, session)
        return plan_diff(self._stores.snapshots.members(cohort.cohort_id), members, habits, session)

    def _sessions(self, cohort: Cohort) -> Callable[[], str]:
        """Return what gives an export its id: a new one, or by habit the failed export's."""
        failed = cohort.last_sync is not None and cohort.last_sync["state"] != "done"
        if self._controls.habits.reuse_session and failed:
            return lambda: cohort.session_id
        meta = self._stores.meta
        # The time the state was made is part: a new state must not repeat ids that a receiver remembers.
        return lambda: str(uuid.uuid5(uuid.NAMESPACE_OID, f"{meta.get(SEEDED_MS)}:{meta.count(SESSIONS)}"))

    def _send(self, cohort: Cohort, plan: Plan) -> tuple[str, str]:
        try:
            for call in plan.calls:
                self._send_call(cohort, call)
        except SyncPausedError as err:
            return "paused", str(err)
        except SyncFailedError as err:
            return "failed", str(err)
        return "done", ""

    def _send_call(self, cohort: Cohort, call: Sequence[Page]) -> None:
        pages = list(call)
        if self._faults.draw("sender", "reorder"):
            pages = [pages[position] for position in self._shuffled(len(pages))]
        abort = self._faults.draw("sender", "abort")
        width = self._controls.habits.parallel_pages
        if abort is not None:
            for page in pages[: abort.records]:
                self._send_page(cohort, page)
            raise SyncFailedError("aborted half-way (injected)")
        if width <= 1:
            for page in pages:
                self._send_page(cohort, page)
            return
        with ThreadPoolExecutor(width) as pool:
            for sent in [pool.submit(self._send_page, cohort, page) for page in pages]:
                sent.result()

    def _send_page(self, cohort: Cohort, page: Page) -> None:
        profiles = self._stores.profiles.properties(page.distinct_ids)
        exported, numeric = self._controls.sender.exported, self._controls.habits.numeric_ids
        body = render(page, cohort, self._project_id, profiles, exported, numeric_ids=numeric)
        self._delivery.deliver(page, body, cohort.cohort_id)
        if self._faults.draw("sender", "duplicate"):
            self._delivery.copy(page, body, cohort.cohort_id)
        if self._faults.draw("sender", "late"):
            self._late.setdefault(cohort.cohort_id, []).append((page, body))

    def _shuffled(self, size: int) -> list[int]:
        order = self._faults.shuffled(size)
        return order if order != sorted(order) else order[::-1]

    def _tell(self, result: SyncResult) -> None:
        told = {
            key: value
            for key, value in result.to_json().items()
            if value not in ("", None) and key != "at_ms"
        }
        event = f"sandbox sync {told.pop('state')}"
        if result.state == "done":
            self._log.info(event, **told)
        else:
            self._log.warning(event, **told)
