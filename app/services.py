"""Make every service once a process."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import SystemRandom

from redis import Redis

from app.access.audit import Audit
from app.access.failed_logins import FailedLogins
from app.access.tokens import Tokens
from app.cohorts.applying.run import ApplyLane
from app.cohorts.changelog import ChangeLog
from app.cohorts.consumers import Consumers
from app.cohorts.epochs.shrinking import AT_LEAST, ShrinkLimit
from app.cohorts.groups import ConsumerGroups
from app.cohorts.holding import Holding, Limits
from app.cohorts.inbox import Inbox
from app.cohorts.membership import Membership
from app.cohorts.quarantine import Quarantine
from app.cohorts.registry import Cohorts
from app.cohorts.sessions import Sessions
from app.cohorts.walking import Walk
from app.cohorts.why import Whys
from app.destinations.building import Destinations
from app.destinations.dead_letters import DeadLetters
from app.destinations.dead_letters.ageing import Ageing
from app.destinations.dead_letters.redriving import Redriver
from app.destinations.identity.ledger import Ledger
from app.destinations.identity.pending import PendingLinks
from app.destinations.moving.cursors import Cursors
from app.destinations.operating import Operating
from app.destinations.outbox import Outboxes
from app.destinations.remaining import Standings
from app.destinations.status import DestinationStatuses
from app.erasure.erasures import Erasures
from app.erasure.filing import Filing
from app.erasure.lane import ErasureLane
from app.erasure.membership import MembershipShare
from app.erasure.sharing import Shares
from app.feed.encoding import Encoder
from app.feed.reading import Feed
from app.lanes.lanes import Lanes
from app.lanes.queue import LaneQueue
from app.lanes.runner import LaneRunner
from app.lanes.work import APPLY, ERASURE, RESYNC, WEBHOOKS, readers_of
from app.metrics.flushing import Flushing
from app.metrics.recorder import Recorder
from app.metrics.stored import StoredMetrics
from app.mixpanel.calling.api import MixpanelApi
from app.mixpanel.calling.assembly import build_api
from app.mixpanel.deletions import Deletions
from app.mixpanel.gdpr_budget import gdpr_budget
from app.mixpanel.observing import Observer
from app.mixpanel.query import Query
from app.mixpanel.query_budget import query_rates
from app.mixpanel.refused_ids import REFUSED_IDS
from app.mixpanel.request_budget import RequestBudget
from app.mixpanel.transport import Transport
from app.resync.audit.auditing import Auditing
from app.resync.audit.building import build_auditing
from app.resync.copies import Copies
from app.resync.progress import Progress
from app.resync.reading import ReadingLane
from app.resync.resyncs import Resyncs
from app.resync.rule_changes import RuleChanges
from app.store.connection import connect
from app.store.format import StoredFormat
from app.store.heartbeats import Heartbeats
from app.subscriptions.building import build_sender
from app.subscriptions.desk import Desk
from app.subscriptions.holding import SubscriptionHolder
from app.subscriptions.subscriptions import Subscriptions
from config.settings import Settings


@dataclass(frozen=True)
class Services:
    """Everything that requests, jobs and commands use."""

    settings: Settings
    redis: Redis
    stored_format: StoredFormat
    queue: LaneQueue
    lanes: Lanes
    inbox: Inbox
    changelog: ChangeLog
    feed: Feed
    encoder: Encoder
    consumers: Consumers
    desk: Desk
    cohorts: Cohorts
    membership: Membership
    walk: Walk
    sessions: Sessions
    whys: Whys
    dead_letters: DeadLetters
    redriver: Redriver
    quarantine: Quarantine
    ageing: Ageing
    outboxes: Outboxes
    links: Ledger
    pending_links: PendingLinks
    query: Query
    mixpanel: MixpanelApi
    resyncs: Resyncs
    rule_changes: RuleChanges
    auditing: Auditing
    copies: Copies
    erasures: Erasures
    tokens: Tokens
    failed_logins: FailedLogins
    audit: Audit
    destinations: DestinationStatuses
    operating: Operating
    cursors: Cursors
    standings: Standings
    heartbeats: Heartbeats
    recorder: Recorder
    stored_metrics: StoredMetrics
    flushing: Flushing
    runners: Mapping[str, LaneRunner]


def build_services(settings: Settings, *, looks_only: bool = False) -> Services:
    """Put the services together; nothing connects before it is used.

    Args:
        settings: of the process.
        looks_only: for commands that change nothing, not even the mark of a Redis without state.
    """
    stored_format = StoredFormat(settings.projects, marks=not looks_only)
    redis = connect(settings.redis_url, greet=stored_format.on_connect)
    queue = LaneQueue(connect(settings.rq_redis_url))
    lanes = Lanes(redis, queue, settings.lease_s)
    inbox = Inbox(
        redis,
        lanes,
        soft_cap_bytes=settings.inbox_soft_cap_bytes,
        hard_cap_bytes=settings.inbox_hard_cap_bytes,
        wait_replicas=settings.wait_replicas,
    )
    groups = ConsumerGroups(redis)
    limits = Limits(settings.log_hold_entries, settings.log_hold_bytes, settings.log_hold_age_s)
    holding = Holding(redis, (groups, SubscriptionHolder(redis)), limits)
    changelog = ChangeLog(redis, lanes, settings.log_keep_entries, readers_of(settings.projects), holding)
    outboxes = Outboxes(redis, lanes, settings.outbox_cap_bytes, settings.wait_replicas)
    cohorts, membership, sessions = Cohorts(redis), Membership(redis), Sessions(redis)
    dead_letters, quarantine = DeadLetters(redis), Quarantine(redis)
    apply = ApplyLane(
        redis,
        lanes,
        inbox,
        changelog,
        stored_format,
        session_days=settings.session_days,
        refused_ids=REFUSED_IDS,
        shrink_limit=ShrinkLimit(settings.shrink_share, AT_LEAST, settings.hold_shrinking),
    )
    recorder, stored_metrics = Recorder(), StoredMetrics(redis)
    observer = Observer(recorder)
    query = _query(settings, redis, observer)
    auditing = build_auditing(settings, redis, lanes, query, changelog.readers)
    reading = ReadingLane(
        redis,
        query,
        cohorts,
        membership,
        Progress(redis, lanes),
        refused_ids=REFUSED_IDS,
        auditing=auditing,
    )
    destinations = Destinations(settings, redis, lanes, changelog, outboxes, observe=observer)
    feed, encoder, subscriptions = Feed(redis), Encoder(settings.public_url), Subscriptions(redis)
    sender = build_sender(settings, redis, subscriptions, changelog=changelog, feed=feed, encoder=encoder)
    statuses = DestinationStatuses(redis, changelog, outboxes)
    share = MembershipShare(redis, lanes, changelog, settings.session_days)
    shares = Shares(redis, share, destinations.pending)
    filing = Filing(
        Deletions(_transport(settings, observer), gdpr_budget(redis, timeout_s=settings.mixpanel_timeout_s)),
        SystemRandom(),
    )
    erasing = ErasureLane(redis, lanes, changelog, destinations.ledger, letters=dead_letters, filing=filing)
    return Services(
        settings=settings,
        redis=redis,
        stored_format=stored_format,
        queue=queue,
        lanes=lanes,
        inbox=inbox,
        changelog=changelog,
        feed=feed,
        encoder=encoder,
        consumers=Consumers(redis, groups, holding),
        desk=Desk(settings, redis, subscriptions, feed=feed, encoder=encoder, poster=sender.poster),
        cohorts=cohorts,
        membership=membership,
        walk=Walk(redis),
        sessions=sessions,
        whys=Whys(redis, sessions),
        dead_letters=dead_letters,
        redriver=Redriver(redis, lanes, dead_letters, settings.outbox_cap_bytes, settings.wait_replicas),
        quarantine=quarantine,
        ageing=Ageing(redis, dead_letters, quarantine, settings.dead_letter_days, trim=changelog.trim),
        outboxes=outboxes,
        links=destinations.ledger,
        pending_links=destinations.pending,
        query=query,
        mixpanel=build_api(redis, query.budget, settings, observer),
        resyncs=Resyncs(redis, lanes, cohorts),
        rule_changes=RuleChanges(redis, lanes),
        auditing=auditing,
        copies=Copies(redis, lanes, auditing.findings, settings.silence_after_s),
        erasures=Erasures(redis, lanes, destinations.ledger, settings.erasure_suppression_h),
        tokens=Tokens(redis),
        failed_logins=FailedLogins(redis, settings.failed_login_limit),
        audit=Audit(redis, settings.audit_cap),
        destinations=statuses,
        operating=Operating(redis, lanes),
        cursors=Cursors(redis, lanes, changelog, outboxes, destinations.pending),
        standings=Standings(redis, inbox, outboxes, statuses),
        heartbeats=Heartbeats(redis),
        recorder=recorder,
        stored_metrics=stored_metrics,
        flushing=Flushing(recorder, stored_metrics),
        runners=shares.of(
            {
                APPLY.name: apply,
                RESYNC.name: reading,
                WEBHOOKS.name: sender.lane,
                **destinations.runners(cohorts, membership),
                ERASURE.name: erasing,
            }
        ),
    )


def _transport(settings: Settings, observer: Observer) -> Transport:
    return Transport(timeout_s=settings.mixpanel_timeout_s, connections=1, observe=observer)


def _query(settings: Settings, redis: Redis, observer: Observer) -> Query:
    rates = query_rates(
        timeout_s=settings.query_timeout_s,
        an_hour=settings.queries_an_hour,
        pages_count=settings.query_pages_count,
    )
    transport = Transport(timeout_s=settings.query_timeout_s, connections=rates.at_once, observe=observer)
    return Query(transport, RequestBudget(redis, rates))
