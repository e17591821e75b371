"""What the web side needs of the rest; `app.services.Services` has it, and so do tests' fakes."""

from collections.abc import Mapping, Sequence
from typing import Protocol

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
from app.destinations.outbox import Request, Submitted
from app.destinations.remaining import Standings
from app.erasure.erasures import Erasures
from app.feed.encoding import Encoder
from app.feed.reading import Feed
from app.lanes.work import OutboxName
from app.metrics.recorder import Recorder
from app.resync.copies import Copies
from app.resync.estimate import Estimates
from app.resync.resyncs import Resyncs
from app.resync.rule_changes import RuleChanges
from app.subscriptions.desk import Desk
from config.settings import Settings


class Inbox(Protocol):
    """Takes pages durably."""

    def accept(self, head: PageHead, body: bytes) -> Accepted:
        """Keep the page; raise InboxFull above the hard cap."""
        ...


class Outboxes(Protocol):
    """Takes in what services submit, durably."""

    def submit(
        self, project_id: str, name: OutboxName, records: Sequence[bytes], *, request: Request | None = None
    ) -> Submitted:
        """Keep the records, all or none; raise OutboxFull or KeyReused where none is kept."""
        ...


class Heartbeats(Protocol):
    """Knows which processes live."""

    def alive(self) -> Mapping[str, float]:
        """Return seconds since the last sign of life, by process name."""
        ...


class WebServices(Protocol):
    """The services that requests use."""

    @property
    def settings(self) -> Settings: ...  # noqa: D102 - a plain attribute

    @property
    def redis(self) -> Redis: ...  # noqa: D102 - a plain attribute

    @property
    def inbox(self) -> Inbox: ...  # noqa: D102 - a plain attribute

    @property
    def outboxes(self) -> Outboxes: ...  # noqa: D102 - a plain attribute

    @property
    def links(self) -> Ledger: ...  # noqa: D102 - a plain attribute

    @property
    def pending_links(self) -> PendingLinks: ...  # noqa: D102 - a plain attribute

    @property
    def dead_letters(self) -> DeadLetters: ...  # noqa: D102 - a plain attribute

    @property
    def redriver(self) -> Redriver: ...  # noqa: D102 - a plain attribute

    @property
    def quarantine(self) -> Quarantine: ...  # noqa: D102 - a plain attribute

    @property
    def desk(self) -> Desk: ...  # noqa: D102 - a plain attribute

    @property
    def feed(self) -> Feed: ...  # noqa: D102 - a plain attribute

    @property
    def consumers(self) -> Consumers: ...  # noqa: D102 - a plain attribute

    @property
    def cohorts(self) -> Cohorts: ...  # noqa: D102 - a plain attribute

    @property
    def walk(self) -> Walk: ...  # noqa: D102 - a plain attribute

    @property
    def sessions(self) -> Sessions: ...  # noqa: D102 - a plain attribute

    @property
    def whys(self) -> Whys: ...  # noqa: D102 - a plain attribute

    @property
    def resyncs(self) -> Resyncs: ...  # noqa: D102 - a plain attribute

    @property
    def rule_changes(self) -> RuleChanges: ...  # noqa: D102 - a plain attribute

    @property
    def copies(self) -> Copies: ...  # noqa: D102 - a plain attribute

    @property
    def erasures(self) -> Erasures: ...  # noqa: D102 - a plain attribute

    @property
    def query(self) -> Estimates: ...  # noqa: D102 - a plain attribute

    @property
    def tokens(self) -> Tokens: ...  # noqa: D102 - a plain attribute

    @property
    def failed_logins(self) -> FailedLogins: ...  # noqa: D102 - a plain attribute

    @property
    def audit(self) -> Audit: ...  # noqa: D102 - a plain attribute

    @property
    def operating(self) -> Operating: ...  # noqa: D102 - a plain attribute

    @property
    def cursors(self) -> Cursors: ...  # noqa: D102 - a plain attribute

    @property
    def standings(self) -> Standings: ...  # noqa: D102 - a plain attribute

    @property
    def heartbeats(self) -> Heartbeats: ...  # noqa: D102 - a plain attribute

    @property
    def encoder(self) -> Encoder: ...  # noqa: D102 - a plain attribute

    @property
    def recorder(self) -> Recorder: ...  # noqa: D102 - a plain attribute
