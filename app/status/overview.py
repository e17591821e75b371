"""Everything at a glance: projects, lanes, destinations, processes, queues."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from redis import RedisError

from app.cohorts.consumers import GroupStatus
from app.cohorts.registry import Cohort
from app.cohorts.silence import Silence
from app.destinations.held import ProjectHeld, read_held
from app.destinations.status import DestinationStatus
from app.lanes.state import LaneState, read_lane
from app.lanes.work import ERASURE, QUEUES, WEBHOOKS, LaneKind, OutboxName, lanes_of
from app.resync.audit.findings import AuditState
from app.resync.rule_changes import RulesStatus
from app.services import Services
from app.status.processes import Process, processes
from app.status.redis_facts import MemoryUse
from app.status.refusals import Refused, read_refused
from app.status.subscribed import Subscribers, read_subscribers
from app.store import keys
from config.projects import Project


@dataclass(frozen=True, slots=True)
class InboxStatus:
    """Pages that wait to be applied.

    Attributes:
        pages, bytes: how many wait.
        soft_cap_bytes: above it, answers to Mixpanel are delayed.
        hard_cap_bytes: at it, Mixpanel is answered 429.
    """

    pages: int
    bytes: int
    soft_cap_bytes: int
    hard_cap_bytes: int


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """What services submitted and Mixpanel has not got yet.

    Attributes:
        records, bytes: how much waits.
        cap_bytes: what would go beyond it is answered 429.
    """

    records: int
    bytes: int
    cap_bytes: int


@dataclass(frozen=True, slots=True)
class ProjectStatus:
    """One project.

    Attributes:
        id, name, region: as configured.
        held: whether it is paused, or takes nothing in, by a person's word.
        inbox: what waits to be applied.
        set_aside: pages that could not be applied, kept whole.
        log_end: the last sequence of the change log.
        lanes: in the order that work takes.
        destinations: by the names of their lanes; those of outboxes once they were used.
        outboxes: by the names of the lanes that read them; those that were used.
        dead_letters: records that are kept because Mixpanel did not take them.
        dead_letters_dropped: older ones that had to go for the cap.
        quarantined: members that could not be used, ever.
        cohorts: by name.
        consumers: consumer groups that read the log in Redis.
        silences: cohorts that nothing is heard of.
        audit: what audits of the cohorts found.
        subscribers: webhook subscriptions.
        rules: how members stand to the rules; None where nobody looked.
    """

    id: str
    name: str
    region: str
    held: ProjectHeld
    inbox: InboxStatus
    set_aside: int
    log_end: int
    lanes: Sequence[LaneState]
    destinations: dict[str, DestinationStatus]
    outboxes: dict[str, OutboxStatus]
    dead_letters: int
    dead_letters_dropped: int
    quarantined: int
    cohorts: Sequence[Cohort]
    consumers: Sequence[GroupStatus] = ()
    silences: Sequence[Silence] = ()
    audit: AuditState = field(default_factory=AuditState)
    subscribers: Subscribers = field(default_factory=Subscribers)
    rules: RulesStatus | None = None


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """One queue of jobs.

    Attributes:
        name: which.
        jobs: how many wait; None when the queues' Redis does not answer.
        workers: how many serve it and live.
    """

    name: str
    jobs: int | None
    workers: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole relay at the time `at_ms` (Redis's clock).

    `memory` is None where Redis does not tell; `refused` are pages whose answer pauses a sync, of late.
    """

    at_ms: int
    projects: Sequence[ProjectStatus]
    processes: Sequence[Process]
    queues: Sequence[QueueStatus]
    memory: MemoryUse | None = None
    refused: Sequence[Refused] = ()


def read_overview(services: Services) -> Overview:
    """Read how everything stands.

    Raises:
        RedisError: the Redis that holds the state cannot be asked.
    """
    now_s, now_us = services.redis.time()
    now_ms = now_s * 1000 + now_us // 1000
    living = processes(services.heartbeats.alive())
    projects = services.settings.projects
    subscribers = read_subscribers(services, projects)
    return Overview(
        at_ms=now_ms,
        projects=[read_project(services, each, subscribers[each.id]) for each in projects.values()],
        processes=living,
        queues=[_queue(services, name, living) for name in QUEUES],
        memory=MemoryUse.read(services.redis),
        refused=read_refused(services.stored_metrics, projects, now_ms),
    )


def read_project(
    services: Services, project: Project, subscribers: Subscribers | None = None
) -> ProjectStatus:
    """Read how one project stands; see `read_overview`.

    Args:
        services: of this process.
        project: which.
        subscribers: its subscriptions, if they were read already.
    """
    redis, settings = services.redis, services.settings
    depth = services.inbox.depth(project.id)
    cohorts = services.cohorts.list(project.id)
    audit = services.copies.audit(project.id)
    lanes = [lane for lane in lanes_of(project) if _is_used(services, project.id, lane)]
    return ProjectStatus(
        id=project.id,
        name=project.name,
        region=project.region,
        held=read_held(redis, project.id),
        inbox=InboxStatus(
            depth["pages"], depth["bytes"], settings.inbox_soft_cap_bytes, settings.inbox_hard_cap_bytes
        ),
        set_aside=redis.xlen(keys.set_aside(project.id)),
        log_end=services.changelog.end(project.id),
        lanes=[read_lane(redis, project.id, lane.name) for lane in lanes],
        destinations={
            lane.name: services.destinations.status(project.id, lane)
            for lane in lanes
            if lane.source in {"log", "outbox"}
        },
        outboxes={lane.name: _outbox(services, project.id, lane.outbox) for lane in lanes if lane.outbox},
        dead_letters=services.dead_letters.count(project.id),
        dead_letters_dropped=services.dead_letters.counters(project.id).get("dropped", 0),
        quarantined=sum(cohort.quarantined for cohort in cohorts),
        cohorts=cohorts,
        consumers=services.consumers.list(project.id),
        silences=services.copies.silences(project.id, cohorts, audit),
        audit=audit,
        subscribers=read_subscribers(services, [project.id])[project.id]
        if subscribers is None
        else subscribers,
        rules=services.rule_changes.status(project),
    )


def _is_used(services: Services, project_id: str, lane: LaneKind) -> bool:
    """Leave out what never had anything to do: most installations have no use for some of it."""
    if lane in (ERASURE, WEBHOOKS):
        return services.redis.exists(keys.lane(project_id, lane.name)) > 0
    return lane.outbox is None or services.outboxes.end(project_id, lane.outbox) > 0


def _outbox(services: Services, project_id: str, name: OutboxName) -> OutboxStatus:
    depth = services.outboxes.depth(project_id, name)
    return OutboxStatus(depth.records, depth.bytes, services.settings.outbox_cap_bytes)


def _queue(services: Services, name: str, living: Sequence[Process]) -> QueueStatus:
    workers = sum(process.alive and process.serves(name) for process in living)
    try:
        return QueueStatus(name, services.queue.depth(name), workers)
    except RedisError:  # a Redis of its own, perhaps: the state can still be told
        return QueueStatus(name, None, workers)
