"""Which lanes a project has, which queue serves each, and where each finds its work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from app.store import keys
from config.projects import Project

OutboxName = Literal["events", "profiles", "groups", "identity"]
OUTBOXES: Final[tuple[OutboxName, ...]] = ("events", "profiles", "groups", "identity")


@dataclass(frozen=True)
class LaneKind:
    """One of a project's lanes.

    Attributes:
        name: as in the lane's key.
        queue: the RQ queue whose workers run it.
        source: what it reads: the `inbox`, the change `log`, an `outbox`, `resyncs` or `erasures` that are
            under way, or `turns` of subscriptions.
        outbox: which outbox, where it reads one.
    """

    name: str
    queue: str
    source: Literal["inbox", "log", "outbox", "resyncs", "erasures", "turns"]
    outbox: OutboxName | None = None

    @property
    def work(self) -> str:
        """What `has_work` looks for: a page of the `inbox`, a `sequence`, what is `due`, or `turns`."""
        known = {"inbox": "inbox", "resyncs": "due", "erasures": "due", "turns": "turns"}
        return known.get(self.source, "sequence")

    def work_keys(self, project_id: str) -> tuple[str, str]:
        """Return the two keys that tell whether the lane has work."""
        if self.source == "inbox":
            return keys.inbox(project_id), keys.due(project_id)
        if self.source == "resyncs":
            return keys.resyncs_open(project_id), keys.resyncs_due(project_id)
        if self.source == "erasures":
            return keys.erasures_open(project_id), keys.erasures_due(project_id)
        if self.source == "turns":
            return keys.log_meta(project_id), keys.subscription_turns(project_id)
        read = keys.outbox_meta(project_id, self.outbox) if self.outbox else keys.log_meta(project_id)
        return read, keys.destination(project_id, self.name)


def _outbox_lane(name: OutboxName) -> LaneKind:
    return LaneKind(f"{name}-outbox", queue="mixpanel", source="outbox", outbox=name)


APPLY: Final = LaneKind("apply", queue="apply", source="inbox")
PROFILES: Final = LaneKind("profiles", queue="mixpanel", source="log")
EVENTS: Final = LaneKind("events", queue="mixpanel", source="log")
IDENTITY: Final = LaneKind("identity", queue="mixpanel", source="log")
RESYNC: Final = LaneKind("resync", queue="mixpanel", source="resyncs")
ERASURE: Final = LaneKind("erasure", queue="mixpanel", source="erasures")
WEBHOOKS: Final = LaneKind("webhooks", queue="webhooks", source="turns")
OUTBOX_LANES: Final[Mapping[OutboxName, LaneKind]] = {name: _outbox_lane(name) for name in OUTBOXES}

LANES: Final = {
    kind.name: kind
    for kind in (APPLY, PROFILES, EVENTS, IDENTITY, *OUTBOX_LANES.values(), RESYNC, ERASURE, WEBHOOKS)
}
QUEUES: Final = tuple(dict.fromkeys(kind.queue for kind in LANES.values()))

Readers = Callable[[str], tuple[LaneKind, ...]]
"""Gives the lanes that read a project's log, by the project's id."""


def log_lanes(project: Project) -> tuple[LaneKind, ...]:
    """Return the lanes that read the project's log: those that its rules give something to do."""
    events = (EVENTS,) if project.rules.has_events else ()
    identity = (IDENTITY,) if project.rules.has_links else ()
    return (PROFILES, *events, *identity)


def lanes_of(project: Project) -> tuple[LaneKind, ...]:
    """Return the project's lanes, in the order that work takes."""
    resync = (RESYNC,) if project.service_account else ()  # without one, nothing can be read
    return (APPLY, *log_lanes(project), *OUTBOX_LANES.values(), *resync, ERASURE, WEBHOOKS)


def readers_of(projects: Mapping[str, Project]) -> Readers:
    """Make the look-up of the lanes that read a project's log."""
    known = {project_id: log_lanes(project) for project_id, project in projects.items()}
    return lambda project_id: known.get(project_id, (PROFILES,))


def profiles_only(_project_id: str) -> tuple[LaneKind, ...]:
    """Say that nothing but the profiles destination reads the log."""
    return (PROFILES,)
