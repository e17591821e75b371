"""Every metric that is read where it stands when somebody asks, instead of being recorded.

The counters among them are counted by Redis in the very step that they tell of, so no crash can make them
wrong. `docs/metrics.md` tells of each.
"""

from typing import Final

from app.metrics.families import Family


def _gauge(name: str, text: str, *labels: str) -> Family:
    return Family(f"cohort_relay_{name}", "gauge", text, labels)


def _counter(name: str, text: str, *labels: str) -> Family:
    return Family(f"cohort_relay_{name}_total", "counter", text, labels)


BUILD: Final = _gauge("build_info", "1; the version is the label.", "version")
REDIS_UP: Final = _gauge(
    "redis_up", "Whether the Redis of the state answers; without it little else is here."
)
STATE_FORMAT: Final = _gauge("state_format", "Version of the stored state.")
MEMORY: Final = _gauge("redis_memory_bytes", "Memory that the Redis of the state uses.")
MEMORY_CAP: Final = _gauge(
    "redis_memory_cap_bytes", "At which it takes no more: maxmemory, or the machine's."
)
SCRAPE_SECONDS: Final = _gauge("scrape_duration_seconds", "Time that reading these numbers took.")
PROCESSES: Final = _gauge(
    "processes", "Processes by role; alive: whether they show signs of life.", "role", "alive"
)
QUEUE_JOBS: Final = _gauge(
    "queue_jobs", "Jobs that wait; none where the queues' Redis does not answer.", "queue"
)
FAILED_LOGINS: Final = _counter("failed_logins", "Wrong API tokens that were shown.")

PAUSED: Final = _gauge("project_paused", "1 while an operator holds the whole project, else 0.", "project")
ACCEPTING: Final = _gauge(
    "project_accepting", "0 while an operator has stopped accepting, else 1.", "project"
)
ACCEPTED: Final = _counter("pages_accepted", "Pages that were taken in.", "project")
DUPLICATE: Final = _counter(
    "pages_duplicate", "Pages that were dropped at the door: a copy of each waited still.", "project"
)
APPLIED: Final = _counter("pages_applied", "Pages that went from the inbox into the membership.", "project")
INBOX_PAGES: Final = _gauge("inbox_pages", "Pages that wait to be applied.", "project")
INBOX_BYTES: Final = _gauge("inbox_bytes", "Their bytes.", "project")
INBOX_CAP: Final = _gauge(
    "inbox_cap_bytes", "soft: above it answers are delayed; hard: at it pages get 429.", "project", "cap"
)
SET_ASIDE: Final = _gauge("pages_set_aside", "Pages that could not be applied, kept whole.", "project")

CHANGES: Final = _counter(
    "changes", "Changes in the log: entered, exited, updated; and why.", "project", "change", "cause"
)
LOG_ENTRIES: Final = _counter("log_entries", "Entries of the change log.", "project")
CONSUMERS: Final = _gauge("consumers", "Consumer groups that read the change log in Redis.", "project")
CONSUMER_BEHIND: Final = _gauge(
    "consumer_behind", "Entries that the slowest of them has not confirmed.", "project"
)
CONSUMER_SHARE: Final = _gauge(
    "consumer_hold_share", "Of what they may be behind, how much one uses up at the most.", "project"
)
CONSUMER_GAPS: Final = _counter(
    "consumer_gaps", "How often a consumer of the log fell too far behind.", "project"
)
CONSUMER_MISSED: Final = _counter(
    "consumer_missed", "Entries that went before a consumer had confirmed them.", "project"
)
SUBSCRIPTIONS: Final = _gauge(
    "subscriptions", "Webhook subscriptions by state: active, failing, paused, ended.", "project", "state"
)
SUBSCRIPTION_MESSAGES: Final = _counter(
    "subscription_messages", "Messages that were taken, and tries that failed.", "project", "outcome"
)
SUBSCRIPTION_GAPS: Final = _counter(
    "subscription_gaps", "How often a subscription was told that entries are gone.", "project"
)
SUBSCRIPTION_MISSED: Final = _counter("subscription_missed", "These entries.", "project")
SUBSCRIPTION_BEHIND: Final = _gauge(
    "subscription_behind", "Log entries of which the last of those not paused was not told.", "project"
)
SUBSCRIPTION_LAG: Final = _gauge("subscription_lag_seconds", "Age of the oldest of these.", "project")
SUBSCRIPTION_TURNS: Final = _gauge(
    "subscription_turns_waiting", "Subscriptions that wait for a free thread.", "project"
)
COHORTS: Final = _gauge("cohorts", "Cohorts that are known.", "project")
DOUBTFUL: Final = _gauge("cohorts_suspect", "Cohorts whose copy may differ from Mixpanel's.", "project")
TO_MIGRATE: Final = _gauge(
    "cohorts_to_migrate", "Cohorts whose members the changed rules are not applied to.", "project"
)
MEMBERS: Final = _gauge("members", "Memberships: somebody in two cohorts counts twice.", "project")
QUARANTINED: Final = _counter("members_quarantined", "Members without a usable id.", "project")
LAST_SYNC: Final = _gauge(
    "last_sync_timestamp_seconds", "When a sync of any cohort was last complete; absent if never.", "project"
)

DRIFTED: Final = _gauge(
    "cohorts_drifted", "Cohorts whose copy an audit found to differ from Mixpanel's.", "project"
)
DRIFT: Final = _gauge(
    "drift_members", "People by whom they differ: missing here, or surplus.", "project", "difference"
)
AUDITED: Final = _gauge(
    "audit_last_timestamp_seconds", "When counts were last compared; absent if never.", "project"
)
SILENT: Final = _gauge(
    "cohorts_silent", "Cohorts that nothing is heard of, but for those muted or deleted.", "project"
)
SHRINKING: Final = _counter(
    "syncs_shrinking", "Full lists that removed more than may go without a word, or are held.", "project"
)
HELD: Final = _gauge("syncs_held", "Full lists whose removals wait for a word.", "project")

BEHIND: Final = _gauge(
    "destination_behind",
    "What is not delivered: log entries, or records of an outbox.",
    *("project", "destination"),
)
LAG: Final = _gauge("destination_lag_seconds", "Age of the oldest of it.", "project", "destination")
STATE: Final = _gauge(
    "destination_state", "1 for the state that a destination is in.", "project", "destination", "state"
)
TRIES: Final = _gauge(
    "destination_tries", "How often the window at hand has failed.", "project", "destination"
)
WAITING: Final = _gauge(
    "waiting_for_links", "Profiles whose updates wait for an identity link.", "project", "destination"
)
DELIVERED: Final = _counter("records_delivered", "Records that Mixpanel accepted.", "project", "destination")
FAILED: Final = _counter(
    "delivery_failures",
    "Windows that were put off, or stopped their destination, by what went wrong.",
    *("project", "destination", "code"),
)
LETTERS: Final = _counter("dead_letters", "Records given up.", "project", "destination", "code")
LETTERS_KEPT: Final = _gauge("dead_letters_kept", "Dead letters that are kept.", "project")
LETTERS_GONE: Final = _counter(
    "dead_letters_gone", "Dead letters dropped for the cap, expired, redriven, discarded.", "project", "how"
)
OUTBOX_RECORDS: Final = _gauge("outbox_records", "Records that wait.", "project", "destination")
OUTBOX_BYTES: Final = _gauge("outbox_bytes", "Their bytes.", "project", "destination")
OUTBOX_CAP: Final = _gauge("outbox_cap_bytes", "Above it, services get 429.")

BUDGET_RECORDS: Final = _gauge("budget_records_left", "Records that fit into the minute at hand.", "project")
BUDGET_BYTES: Final = _gauge("budget_bytes_left", "Bytes that fit into the minute at hand.", "project")
BUDGET_REQUESTS: Final = _gauge(
    "budget_requests_left", "Requests of a family that fit into a window.", "project", "family", "window"
)
BUDGET_QUERIES: Final = _gauge("budget_queries_left", "Queries that fit into the hour at hand.", "project")
LANE_WAITING: Final = _gauge(
    "lane_waiting_seconds",
    "How long a lane does not get on, tries included; 0 if it does.",
    "project",
    "lane",
)

STANDING: Final[tuple[Family, ...]] = (
    *(
        BUILD,
        REDIS_UP,
        STATE_FORMAT,
        SCRAPE_SECONDS,
        PROCESSES,
        QUEUE_JOBS,
        FAILED_LOGINS,
        MEMORY,
        MEMORY_CAP,
    ),
    *(PAUSED, ACCEPTING),
    *(ACCEPTED, DUPLICATE, APPLIED, INBOX_PAGES, INBOX_BYTES, INBOX_CAP, SET_ASIDE),
    *(CONSUMERS, CONSUMER_BEHIND, CONSUMER_SHARE, CONSUMER_GAPS, CONSUMER_MISSED),
    *(SUBSCRIPTIONS, SUBSCRIPTION_MESSAGES, SUBSCRIPTION_GAPS, SUBSCRIPTION_MISSED),
    *(SUBSCRIPTION_BEHIND, SUBSCRIPTION_LAG, SUBSCRIPTION_TURNS),
    *(CHANGES, LOG_ENTRIES, COHORTS, DOUBTFUL, MEMBERS, QUARANTINED, LAST_SYNC),
    *(DRIFTED, DRIFT, AUDITED, SILENT, SHRINKING, HELD, TO_MIGRATE),
    *(BEHIND, LAG, STATE, TRIES, WAITING, DELIVERED, FAILED, LETTERS, LETTERS_KEPT, LETTERS_GONE),
    *(OUTBOX_RECORDS, OUTBOX_BYTES, OUTBOX_CAP),
    *(BUDGET_RECORDS, BUDGET_BYTES, BUDGET_REQUESTS, BUDGET_QUERIES, LANE_WAITING),
)
