"""Read the numbers that Prometheus asks for."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from redis import RedisError

from app.destinations.dead_letters.letter import CODES
from app.destinations.waiting.room import LANES_WITH_ROOM, room_name
from app.lanes.work import lanes_of
from app.metrics import families, standing
from app.metrics.exposition import Sample, render
from app.metrics.recorder import Series
from app.mixpanel.budget import left
from app.services import Services
from app.status.attention import is_doubtful
from app.status.overview import Overview, ProjectStatus, read_overview
from app.status.subscribed import STATES, Subscribers
from app.store import keys
from config.version import VERSION

FAILURES: Final = (
    *("retryable", "throttled", "over_budget", "rejected", "credential_refused", "too_large"),
    *("session_expired", "outbox_full"),
)
"""Codes of what puts a window off: those of Mixpanel's errors, and of an outbox that has no room."""
_GONE: Final = ("dropped", "expired", "redriven", "discarded")
_STATES: Final = ("ok", "retrying", "stopped", "paused")


@dataclass(frozen=True, slots=True)
class Counted:
    """What Redis counts of a project, beyond its status.

    Attributes:
        inbox: of the inbox: `accepted`, `copies`, `applied`.
        log: of the change log: `<cause>:<change>`.
        letters: of the dead letters: `<destination>:<code>`, and how some went.
        budget: of the rolling minute, as stored.
        failures: by (destination, code).
    """

    inbox: Mapping[bytes, bytes]
    log: Mapping[bytes, bytes]
    letters: Mapping[bytes, bytes]
    budget: Mapping[bytes, bytes]
    failures: Mapping[tuple[str, str], int]


class Metrics:
    """Reads them all; what a process still had in memory is missing, but for this one's.

    Args:
        services: of this process.
        causes: why pages may be refused.
        now_s: a monotonic clock.
    """

    def __init__(
        self, services: Services, causes: Sequence[str], now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._services = services
        self._causes = causes
        self._now_s = now_s

    def page(self, accept: str = "") -> tuple[bytes, str]:
        """Return what Prometheus reads, and its media type; without Redis, that it is not there.

        Args:
            accept: which forms the reader takes: the header of that name.
        """
        began_s = self._now_s()
        samples: list[Sample] = [(standing.BUILD, (VERSION,), 1)]
        recorded: dict[Series, float] = dict.fromkeys(self._expected(), 0)
        try:
            self._services.flushing.flush()
            recorded |= self._services.stored_metrics.read()
            samples += self._standing()
            up = True
        except RedisError:
            up = False
        samples.append((standing.REDIS_UP, (), up))
        samples.append((standing.SCRAPE_SECONDS, (), self._now_s() - began_s))
        return render(recorded, samples, accept)

    def _expected(self) -> Iterator[Series]:
        """Yield what alerts wait for: a counter that begins with its first case hides that case from them."""
        projects = self._services.settings.projects
        for project_id in ("", *projects):
            for cause in self._causes:
                yield families.PAGES_REFUSED.name, (project_id, cause), ""
        for project in projects.values():
            for lane in lanes_of(project):
                yield families.LANE_TAKEOVERS.name, (project.id, lane.name), ""

    def _standing(self) -> list[Sample]:
        overview = read_overview(self._services)
        counted = self._counted(overview.projects)
        samples = [*self._of_all(overview)]
        for project, numbers in zip(overview.projects, counted, strict=True):
            samples += _of_inbox(project, numbers)
            samples += _of_log(project, numbers)
            samples += _of_subscribers(project.id, project.subscribers)
            samples += _of_copies(project, numbers)
            samples += _of_destinations(project, numbers)
            samples += _of_letters(project, numbers)
            samples += self._of_budget(project.id, numbers, overview.at_ms)
            samples += _of_lanes(project, overview.at_ms)
        return samples

    def _of_all(self, overview: Overview) -> Iterator[Sample]:
        found = cast("bytes | None", self._services.redis.get(keys.state_format()))
        version = (found or b"").partition(b">")[0]  # during an upgrade it is the one before
        yield standing.STATE_FORMAT, (), int(version or self._services.stored_format.needed)
        yield standing.FAILED_LOGINS, (), self._services.failed_logins.total()
        yield standing.OUTBOX_CAP, (), self._services.settings.outbox_cap_bytes
        for role in sorted({process.role for process in overview.processes}):
            of_role = [process for process in overview.processes if process.role == role]
            alive = sum(process.alive for process in of_role)
            yield standing.PROCESSES, (role, "true"), alive
            yield standing.PROCESSES, (role, "false"), len(of_role) - alive
        if overview.memory:
            yield standing.MEMORY, (), overview.memory.used_bytes
            yield standing.MEMORY_CAP, (), overview.memory.cap_bytes
        for queue in overview.queues:
            if queue.jobs is not None:
                yield standing.QUEUE_JOBS, (queue.name,), queue.jobs

    def _of_budget(self, project_id: str, counted: Counted, at_ms: int) -> Iterator[Sample]:
        records, size_bytes = left(counted.budget, at_ms // 1000)
        yield standing.BUDGET_RECORDS, (project_id,), records
        yield standing.BUDGET_BYTES, (project_id,), size_bytes
        project = self._services.settings.projects[project_id]
        for family, window, room in self._services.mixpanel.requests_left(project_id):
            yield standing.BUDGET_REQUESTS, (project_id, family, window), room
            if (family, window) == ("query", "1h") and project.service_account:
                yield standing.BUDGET_QUERIES, (project_id,), room

    def _counted(self, projects: Sequence[ProjectStatus]) -> list[Counted]:
        """Read the counters of all projects in one round trip."""
        pipeline = self._services.redis.pipeline(transaction=False)
        cursors = [[*_cursors(project.destinations)] for project in projects]
        for project, names in zip(projects, cursors, strict=True):
            pipeline.hgetall(keys.inbox_meta(project.id))
            pipeline.hgetall(keys.log_meta(project.id))
            pipeline.hgetall(keys.dead_letter_counts(project.id))
            pipeline.hgetall(keys.ingestion_budget(project.id))
            for _, cursor in names:
                pipeline.hmget(keys.destination(project.id, cursor), [f"failed:{code}" for code in FAILURES])
        answers = iter(pipeline.execute())
        return [
            Counted(next(answers), next(answers), next(answers), next(answers), _failures(names, answers))
            for names in cursors
        ]


def _cursors(destinations: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each destination with its cursors: its own, and its waiting room's."""
    for name in destinations:
        yield name, name
        if name in LANES_WITH_ROOM:
            yield name, room_name(name)


def _failures(names: Iterable[tuple[str, str]], answers: Iterator[Any]) -> dict[tuple[str, str], int]:
    failures: dict[tuple[str, str], int] = {}
    for destination, _ in names:
        for code, number in zip(FAILURES, next(answers), strict=True):
            if number:
                failures[destination, code] = failures.get((destination, code), 0) + int(number)
    return failures


def _of_inbox(project: ProjectStatus, counted: Counted) -> Iterator[Sample]:
    of, inbox = (project.id,), project.inbox
    yield standing.PAUSED, of, project.held.paused is not None
    yield standing.ACCEPTING, of, project.held.closed is None
    yield standing.ACCEPTED, of, _number(counted.inbox, b"accepted")
    yield standing.DUPLICATE, of, _number(counted.inbox, b"copies")
    yield standing.APPLIED, of, _number(counted.inbox, b"applied")
    yield standing.INBOX_PAGES, of, inbox.pages
    yield standing.INBOX_BYTES, of, inbox.bytes
    yield standing.INBOX_CAP, (*of, "soft"), inbox.soft_cap_bytes
    yield standing.INBOX_CAP, (*of, "hard"), inbox.hard_cap_bytes
    yield standing.SET_ASIDE, of, project.set_aside


def _of_log(project: ProjectStatus, counted: Counted) -> Iterator[Sample]:
    of = (project.id,)
    for name, number in counted.log.items():
        cause, _, change = name.decode().partition(":")
        if change:
            yield standing.CHANGES, (*of, change, cause), int(number)
    yield standing.LOG_ENTRIES, of, project.log_end
    yield standing.CONSUMERS, of, len(project.consumers)
    yield standing.CONSUMER_BEHIND, of, max((group.lag for group in project.consumers), default=0)
    yield standing.CONSUMER_SHARE, of, max((group.share for group in project.consumers), default=0.0)
    yield standing.CONSUMER_GAPS, of, _number(counted.log, b"gaps")
    yield standing.CONSUMER_MISSED, of, _number(counted.log, b"missed")
    yield standing.COHORTS, of, len(project.cohorts)
    yield standing.DOUBTFUL, of, sum(map(is_doubtful, project.cohorts))
    yield standing.TO_MIGRATE, of, len(project.rules.to_apply) if project.rules else 0
    yield standing.MEMBERS, of, sum(cohort.members for cohort in project.cohorts)
    yield standing.QUARANTINED, of, project.quarantined
    if synced_ms := max((cohort.synced_ms for cohort in project.cohorts), default=0):
        yield standing.LAST_SYNC, of, synced_ms / 1000


def _of_subscribers(project_id: str, found: Subscribers) -> Iterator[Sample]:
    of = (project_id,)
    for state in STATES:
        yield standing.SUBSCRIPTIONS, (*of, state), found.states.get(state, 0)
    for outcome in ("taken", "failed"):
        yield standing.SUBSCRIPTION_MESSAGES, (*of, outcome), found.counts.get(outcome, 0)
    yield standing.SUBSCRIPTION_GAPS, of, found.counts.get("gaps", 0)
    yield standing.SUBSCRIPTION_MISSED, of, found.counts.get("lost", 0)
    yield standing.SUBSCRIPTION_BEHIND, of, found.behind
    yield standing.SUBSCRIPTION_LAG, of, found.lag_s
    yield standing.SUBSCRIPTION_TURNS, of, found.waiting


def _of_copies(project: ProjectStatus, counted: Counted) -> Iterator[Sample]:
    of, drifts = (project.id,), project.audit.drifts
    yield standing.DRIFTED, of, len(drifts)
    yield standing.DRIFT, (*of, "missing"), sum(drift.missing for drift in drifts)
    yield standing.DRIFT, (*of, "surplus"), sum(drift.surplus for drift in drifts)
    if project.audit.listed_ms:
        yield standing.AUDITED, of, project.audit.listed_ms / 1000
    silent = sum(each.alarming for each in project.silences)
    yield standing.SILENT, of, 0 if project.held.closed else silent  # it calls then, and is refused
    yield standing.SHRINKING, of, _number(counted.log, b"shrinking")
    yield standing.HELD, of, sum(bool(each.held and not each.held.refused) for each in project.cohorts)


def _of_destinations(project: ProjectStatus, counted: Counted) -> Iterator[Sample]:
    for name, status in project.destinations.items():
        of = (project.id, name)
        yield standing.BEHIND, of, status.behind
        yield standing.LAG, of, status.lag_s
        for state in _STATES:
            yield standing.STATE, (*of, state), status.state == state
        yield standing.TRIES, of, status.tries
        if name in LANES_WITH_ROOM:
            yield standing.WAITING, of, status.waiting
        yield standing.DELIVERED, of, status.delivered
    for name, outbox in project.outboxes.items():
        yield standing.OUTBOX_RECORDS, (project.id, name), outbox.records
        yield standing.OUTBOX_BYTES, (project.id, name), outbox.bytes
    for (name, code), number in counted.failures.items():
        yield standing.FAILED, (project.id, name, code), number


def _of_letters(project: ProjectStatus, counted: Counted) -> Iterator[Sample]:
    yield standing.LETTERS_KEPT, (project.id,), project.dead_letters
    for how in _GONE:
        yield standing.LETTERS_GONE, (project.id, how), _number(counted.letters, how.encode())
    for destination in project.destinations:
        for code in CODES:
            number = _number(counted.letters, f"{destination}:{code}".encode())
            yield standing.LETTERS, (project.id, destination, code), number


def _of_lanes(project: ProjectStatus, at_ms: int) -> Iterator[Sample]:
    for lane in project.lanes:
        since_ms = lane.since_ms if lane.state == "waiting" else None
        waited_s = max(0, at_ms - since_ms) / 1000 if since_ms else 0.0
        yield standing.LANE_WAITING, (project.id, lane.name), waited_s


def _number(stored: Mapping[bytes, bytes], name: bytes) -> int:
    return int(stored.get(name, 0))
