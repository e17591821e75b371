"""What a sandbox is started with, and what can be changed while it runs."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

IdManagement = Literal["simplified", "original", "legacy"]
MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE


@dataclass(frozen=True)
class Limits:
    """Limits of the API; the defaults are the documented ones, tests lower them.

    `strict_status` is the HTTP status of an answer with `failed_records` everywhere but at `/import`, which
    sends 400. The description of `/engage` knows 200 only ("returns a 200 OK even if there are data
    validation issues"); the described answer itself carries `code: 400`. A client should take both, so both
    can be had here. What is called `max_...` may be reached: "fewer than 255" is 254.
    """

    max_updates: int = 2000
    max_events: int = 2000
    max_request_bytes: int = 10 * MEBIBYTE
    max_record_bytes: int = MEBIBYTE
    max_name_chars: int = 255
    max_properties: int = 2000
    records_a_minute: int = 1_800_000
    bytes_a_minute: int = 2 * GIBIBYTE
    strict_status: int = 200
    max_event_properties: int = 254
    max_nesting: int = 3
    max_nested_keys: int = 254
    max_array: int = 254
    max_chars: int = 255
    max_ahead_s: int = 3600
    track_days: int = 5
    max_cluster: int = 500
    max_exported: int = 100_000
    exports_an_hour: int = 60
    exports_a_second: int = 3
    queries_an_hour: int = 60
    queries_a_second: int = 3
    queries_at_once: int = 5
    exports_at_once: int = 100
    lexicon_a_minute: int = 5
    lexicon_entries_a_minute: int = 4_000
    gdpr_a_second: int = 1


@dataclass(frozen=True)
class ApiHabits:
    """How the API goes about what the documentation leaves open, or real projects were seen to do.

    Attributes:
        device_profiles: What becomes of the profile at `$device:<id>` when a simplified project links the
            device: "dropped" as documented ("user profile properties are not preserved"), or "merged".
        verbs: A strict `/import` with an identity verb that the system does not have refuses the verb alone
            ("refused"), or everything that came with it ("refuse_batch").
        export: `/export` shows each event once ("deduplicated"), or as often as it came ("raw"), which is
            what Mixpanel documents of its own.
        query_pages: The further pages of a profile query count towards the hour ("counted") or not ("free"):
            not documented.
        query_page_size: Profiles a page; one that is being read keeps its size.
        query_session_s: Sandbox seconds that a query can be read on: not documented.
    """

    device_profiles: Literal["dropped", "merged"] = "dropped"
    verbs: Literal["refused", "refuse_batch"] = "refused"
    export: Literal["deduplicated", "raw"] = "deduplicated"
    query_pages: Literal["counted", "free"] = "counted"
    query_page_size: int = 1000
    query_session_s: float = 24 * 3600.0


@dataclass(frozen=True)
class Habits:
    """How the sender goes about a sync: by default as documented, else as real senders may.

    Attributes:
        first_sync: Action of a cohort's first export.
        expired_by: Action of the full export after the snapshot has expired.
        empty_calls: Call `add_members` and `remove_members` even if nobody entered or left.
        totals: `total_pages` counts each call's pages, or those of both calls (numbers then run on).
        sessions: One `mixpanel_session_id` for a whole sync, or one a call.
        reuse_session: A sync that starts over after a failure keeps the failed one's session id.
        order: Which of the two calls comes first.
        empty_total: `total_pages` of a call without members.
        page_size: Members a page.
        parallel_pages: Pages of one call under way at once.
        numeric_ids: Project and cohort ids as JSON numbers instead of strings.
    """

    first_sync: Literal["members", "add_members"] = "members"
    expired_by: Literal["members", "add_members"] = "members"
    empty_calls: bool = True
    totals: Literal["call", "across"] = "call"
    sessions: Literal["sync", "call"] = "sync"
    reuse_session: bool = False
    order: Literal["add_first", "remove_first"] = "add_first"
    empty_total: int = 1
    page_size: int = 1000
    parallel_pages: int = 1
    numeric_ids: bool = False


@dataclass(frozen=True)
class SenderConfig:
    """The connection to a webhook.

    Attributes:
        webhook_url: Where pages go; None means that nothing is ever sent.
        username: Basic auth, used if not empty.
        password: Basic auth.
        automatic: Sync by itself every `interval_s`; otherwise only when asked to.
        interval_s: Sandbox seconds from one round of syncs to the next (Mixpanel: 30 minutes).
        retries: Further tries of a page after a transient failure.
        retry_span_s: Sandbox seconds over which those tries spread, each pause twice the one before.
        timeout_s: Real seconds until an answer counts as not coming.
        snapshot_lifetime_s: Sandbox seconds after which a snapshot is too old for a diff (3 days).
        exported: Profile properties sent with each member, besides id, e-mail and names.
    """

    webhook_url: str | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    automatic: bool = True
    interval_s: float = 20.0
    retries: int = 5
    retry_span_s: float = 60.0
    timeout_s: float = 30.0
    snapshot_lifetime_s: float = 3 * 24 * 3600.0
    exported: tuple[str, ...] = ("$phone", "plan")


@dataclass(frozen=True)
class SandboxConfig:
    """Everything a sandbox is started with.

    Attributes:
        project_id: The one project that lives here.
        token: Its project token; updates with any other token are accepted and go nowhere.
        id_management: Its identity system, fixed once it holds data.
        service_account: Name of a service account that may do everything here.
        service_secret: Its secret.
        project_secret: The project's own, deprecated secret.
        oauth_token: OAuth token that may delete people.
        api_key: Of the legacy Data API v2; what signs its requests is the project secret.
        organization_id: Of the organization that the project is in.
        workspace_id: Of the project's only workspace.
        data_dir: Where the state is kept; None keeps it in memory.
        seed: Decides people, cohorts, churn and faults.
        profiles: How many people to invent when the state is new.
        cohorts: How many cohorts to define when the state is new.
        churn: Share of a cohort that leaves (and of its size that enters) a round.
    """

    project_id: str = "2195193"
    token: str = field(default="sandbox-token", repr=False)
    id_management: IdManagement = "simplified"
    service_account: str = "sandbox-account"
    service_secret: str = field(default="sandbox-secret", repr=False)
    project_secret: str = field(default="sandbox-project-secret", repr=False)
    oauth_token: str = field(default="sandbox-oauth-token", repr=False)
    api_key: str = field(default="sandbox-api-key", repr=False)
    organization_id: str = "4195193"
    workspace_id: str = "3195193"
    data_dir: Path | None = None
    seed: int = 1
    profiles: int = 5000
    cohorts: int = 5
    churn: float = 0.01
    limits: Limits = Limits()
    habits: Habits = Habits()
    api: ApiHabits = ApiHabits()
    sender: SenderConfig = SenderConfig()

    @property
    def project_number(self) -> int:
        """The project id where an answer has it as a number; 0 if it is none."""
        return int(self.project_id) if self.project_id.isdecimal() else 0


class Controls:
    """What can be changed while the sandbox runs; each group is replaced whole."""

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        self.limits = config.limits
        self.habits = config.habits
        self.api = config.api
        self.sender = config.sender
        self.churn = config.churn

    def restore(self) -> None:
        """Go back to what the sandbox was started with."""
        self.limits = self._config.limits
        self.habits = self._config.habits
        self.api = self._config.api
        self.sender = self._config.sender
        self.churn = self._config.churn
