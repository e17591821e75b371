"""Put the audit together."""

from redis import Redis

from app.cohorts.membership import Membership
from app.cohorts.registry import Cohorts
from app.lanes.lanes import Lanes
from app.lanes.work import Readers
from app.resync.asking import Query
from app.resync.audit.auditing import Auditing, AuditPlan
from app.resync.audit.findings import Findings
from app.resync.resyncs import Resyncs
from config.settings import Settings


def build_auditing(
    settings: Settings, redis: Redis, lanes: Lanes, query: Query, readers: Readers
) -> Auditing:
    """Make what takes the audit's steps."""
    most = max(1, int(settings.queries_an_hour * settings.audit_share))
    cohorts = Cohorts(redis)
    return Auditing(
        redis,
        query,
        cohorts=cohorts,
        membership=Membership(redis),
        resyncs=Resyncs(redis, lanes, cohorts),
        findings=Findings(redis, lanes, readers),
        plan=AuditPlan(settings.audit_interval_s, settings.audit_tolerance, settings.queries_an_hour - most),
    )
