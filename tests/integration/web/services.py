"""Services for tests of the web side: real settings and projects, and an inbox that does as told."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import orjson
from redis import Redis

from app.access.audit import Audit
from app.access.failed_logins import FailedLogins
from app.access.tokens import Tokens
from app.cohorts.consumers import Consumers
from app.cohorts.inbox import Accepted
from app.cohorts.pages import PageHead
from app.cohorts.quarantine import Quarantine
from app.cohorts.registry import Cohorts
from app.cohorts.sessions import Sessions
from app.cohorts.walking import Walk
from app.cohorts.why import Whys
from app.destinations.dead_letters import DeadLetters
from app.destinations.dead_letters.redriving import Redriver
from app.destinations.identity.ledger import Ledger
from app.destinations.identity.pending import PendingLinks
from app.destinations.moving.cursors import Cursors
from app.destinations.operating import Operating
from app.destinations.outbox import Outboxes, Request, Submitted
from app.destinations.remaining import Standings
from app.erasure.erasures import Erasures
from app.feed.encoding import Encoder
from app.feed.reading import Feed
from app.lanes.work import OutboxName
from app.metrics.recorder import Recorder
from app.resync.copies import Copies
from app.resync.resyncs import Resyncs
from app.resync.rule_changes import RuleChanges
from app.store.connection import connect
from app.subscriptions.desk import Desk
from config.projects import HOSTS, Credential, Project, Projects
from config.secret import Secret
from config.settings import Settings

SHOP, BLOG, NEVER = "1001", "1002", "1003"
NOWHERE = "redis://127.0.0.1:1/0"


def project(project_id: str, name: str, *, never_pause: bool = False) -> Project:
    """A project whose webhook credential is its name, twice."""
    return Project(
        id=project_id,
        name=name,
        region="us",
        token=Secret("token"),
        hosts=HOSTS["us"],
        webhook_credentials=(Credential(name, Secret(name)),),
        never_pause=never_pause,
    )


PROJECTS = Projects([project(SHOP, "shop"), project(BLOG, "blog")])
WITH_PROMISE = Projects([*PROJECTS.values(), project(NEVER, "never", never_pause=True)])


def settings(redis_url: str = "redis://127.0.0.1:1/0", **changes: Any) -> Settings:
    """Settings of the two projects; a body may have 10 kB."""
    plain = Settings(
        redis_url=redis_url,
        rq_redis_url=redis_url,
        secret_key=Secret("k" * 32),
        projects=PROJECTS,
        max_body_bytes=10_000,
    )
    return replace(plain, **changes)


@dataclass
class FakeInbox:
    """Keeps what it is given; raises `error`, or answers `accepted`."""

    accepted: Accepted = field(default_factory=lambda: Accepted(duplicate=False, delay_s=0.0, page="1-0"))
    error: Exception | None = None
    pages: list[tuple[PageHead, bytes]] = field(default_factory=list)

    def accept(self, head: PageHead, body: bytes) -> Accepted:
        if self.error is not None:
            raise self.error
        self.pages.append((head, body))
        return self.accepted


@dataclass
class FakeHeartbeats:
    """Everybody lives."""

    ages_s: Mapping[str, float] = field(
        default_factory=lambda: dict.fromkeys(("worker-apply-mixpanel@a-1", "clock@a-2"), 1.0)
    )

    def alive(self) -> Mapping[str, float]:
        return self.ages_s


@dataclass
class FakeOutboxes:
    """Keeps what it is given; raises `error`."""

    error: Exception | None = None
    submitted: list[tuple[str, str, list[bytes]]] = field(default_factory=list)

    def submit(
        self, project_id: str, name: OutboxName, records: Sequence[bytes], *, request: Request | None = None
    ) -> Submitted:
        if self.error is not None:
            raise self.error
        self.submitted.append((project_id, name, list(records)))
        return Submitted(len(self.submitted))


class FakeEstimates:
    """Takes a minute for every 1,000."""

    def estimate(self, project_id: str, members: int) -> float:
        return 60.0 * (members // 1000 + 1)


@dataclass
class FakeServices:
    """What the web side needs, without a Redis."""

    settings: Settings = field(default_factory=settings)
    inbox: FakeInbox = field(default_factory=FakeInbox)
    outboxes: FakeOutboxes = field(default_factory=FakeOutboxes)
    heartbeats: FakeHeartbeats = field(default_factory=FakeHeartbeats)
    recorder: Recorder = field(default_factory=Recorder)
    redis: Redis = field(default_factory=lambda: connect(NOWHERE))
    resyncs: Resyncs = field(default_factory=lambda: cast("Resyncs", None))
    rule_changes: RuleChanges = field(default_factory=lambda: cast("RuleChanges", None))
    erasures: Erasures = field(default_factory=lambda: cast("Erasures", None))
    copies: Copies = field(default_factory=lambda: cast("Copies", None))
    desk: Desk = field(default_factory=lambda: cast("Desk", None))
    feed: Feed = field(default_factory=lambda: cast("Feed", None))
    encoder: Encoder = field(default_factory=lambda: Encoder("https://relay.example.com"))
    query: FakeEstimates = field(default_factory=FakeEstimates)
    tokens: Tokens = field(default_factory=lambda: Tokens(connect(NOWHERE)))
    failed_logins: FailedLogins = field(default_factory=lambda: FailedLogins(connect(NOWHERE), 20))
    audit: Audit = field(default_factory=lambda: Audit(connect(NOWHERE), 1_000))
    consumers: Consumers = field(default_factory=lambda: cast("Consumers", None))
    cohorts: Cohorts = field(default_factory=lambda: Cohorts(connect(NOWHERE)))
    walk: Walk = field(default_factory=lambda: Walk(connect(NOWHERE)))
    sessions: Sessions = field(default_factory=lambda: Sessions(connect(NOWHERE)))
    whys: Whys = field(default_factory=lambda: Whys(connect(NOWHERE), Sessions(connect(NOWHERE))))
    dead_letters: DeadLetters = field(default_factory=lambda: DeadLetters(connect(NOWHERE)))
    redriver: Redriver = field(default_factory=lambda: cast("Redriver", None))
    quarantine: Quarantine = field(default_factory=lambda: Quarantine(connect(NOWHERE)))
    links: Ledger = field(default_factory=lambda: Ledger(connect(NOWHERE)))
    operating: Operating = field(default_factory=lambda: cast("Operating", None))
    cursors: Cursors = field(default_factory=lambda: cast("Cursors", None))
    standings: Standings = field(default_factory=lambda: cast("Standings", None))
    pending_links: PendingLinks = field(
        default_factory=lambda: PendingLinks(connect(NOWHERE), cast("Outboxes", None))
    )


def basic(name: str, password: str | None = None) -> dict[str, str]:
    """The header of a credential; a project's password is its name."""
    pair = f"{name}:{name if password is None else password}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def page(project_id: str = SHOP, action: str = "members", **changes: Any) -> bytes:
    """A page of one member, as Mixpanel sends it."""
    parameters = {
        "mixpanel_project_id": project_id,
        "mixpanel_cohort_id": "7",
        "mixpanel_cohort_name": "VIP",
        "mixpanel_cohort_description": "",
        "mixpanel_session_id": "s1",
        "page_info": {"total_pages": 1, "page_count": 1},
        "members": [{"mixpanel_distinct_id": "person-1", "email": "person@example.com"}],
        **changes,
    }
    return orjson.dumps({"action": action, "parameters": parameters})
