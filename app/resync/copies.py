"""How true the copies are: what audits found, silences, held full lists; and what a person says of it."""

from collections.abc import Sequence

from redis import Redis

from app.cohorts.holds import Holds
from app.cohorts.muting import Muting
from app.cohorts.registry import Cohort
from app.cohorts.silence import Silence, silences
from app.lanes.lanes import Lanes
from app.resync.audit.findings import AuditState, Findings
from app.store import keys


class Copies:
    """What the API, the commands and the status look at.

    Args:
        redis, lanes: where everything is.
        findings: of audits.
        silence_after_s: how long a cohort has to be silent to be told of.
    """

    def __init__(self, redis: Redis, lanes: Lanes, findings: Findings, silence_after_s: float) -> None:
        self.holds = Holds(redis, lanes)
        self.muting = Muting(redis)
        self._redis = redis
        self._findings = findings
        self._silence_after_s = silence_after_s

    def audit(self, project_id: str) -> AuditState:
        """Return what audits found."""
        return self._findings.read(project_id)

    def silences(self, project_id: str, cohorts: Sequence[Cohort], audit: AuditState) -> list[Silence]:
        """Return which of a project's cohorts are silent, the longest silent first."""
        now_s, now_us = self._redis.time()
        return silences(
            cohorts,
            now_ms=now_s * 1000 + now_us // 1000,
            after_s=self._silence_after_s,
            pages_wait=self._redis.xlen(keys.inbox(project_id)) > 0,
            muted=self.muting.muted(project_id),
            unlisted=audit.unlisted,
        )
