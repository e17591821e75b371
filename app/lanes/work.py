"""Which lanes a project has, which queue serves each, and where each finds its work."""

from dataclasses import dataclass

from app.store import keys


@dataclass(frozen=True)
class LaneKind:
    """One of a project's lanes.

    Attributes:
        name: as in the lane's key.
        queue: the RQ queue whose workers run it.
        work: what `has_work` in work.lua looks for: `inbox` or `log`.
    """

    name: str
    queue: str
    work: str

    def work_keys(self, project_id: str) -> tuple[str, str]:
        """Return the two keys that tell whether the lane has work."""
        if self.work == "inbox":
            return keys.inbox(project_id), keys.due(project_id)
        return keys.log_meta(project_id), keys.destination(project_id, self.name)


APPLY = LaneKind("apply", queue="apply", work="inbox")
PROFILES = LaneKind("profiles", queue="mixpanel", work="log")

LANES = {kind.name: kind for kind in (APPLY, PROFILES)}
LOG_LANES = tuple(kind for kind in LANES.values() if kind.work == "log")
QUEUES = tuple(dict.fromkeys(kind.queue for kind in LANES.values()))
