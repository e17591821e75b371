"""Every key name in Redis, and nowhere else.

Names begin with ``cr:`` and carry the Mixpanel project id as the hash tag ``{id}``, so that all keys of a
project live in one slot of a Redis Cluster and one script may touch them together. Each docstring gives type,
lifetime and writer.
"""

import re
from typing import Final, NamedTuple
from urllib.parse import quote

PREFIX = "cr:"


def _of(project_id: str, *parts: str) -> str:
    """Join the parts; an id from outside is quoted, so that no id can spell another key's name."""
    return ":".join((f"{PREFIX}{{{project_id}}}", *parts))


def _id(text: str) -> str:
    return text if text.isalnum() and text.isascii() else quote(text, safe="", errors="surrogatepass")


# --- lanes -----------------------------------------------------------------------------------------------


def lane(project_id: str, name: str) -> str:
    """Hash: one lane's state, wake number, token and lease. Kept; written by the lane scripts only."""
    return _of(project_id, "lane", name)


# --- the inbox -------------------------------------------------------------------------------------------


def inbox(project_id: str) -> str:
    """Stream of accepted pages: digest and body. accept.lua adds, commit.lua deletes each once applied."""
    return _of(project_id, "inbox")


def inbox_meta(project_id: str) -> str:
    """Hash: bytes waiting and counters of the inbox. Kept; written by accept.lua and commit.lua."""
    return _of(project_id, "inbox", "meta")


def inbox_waiting(project_id: str) -> str:
    """Hash: digest of a waiting page -> its stream id. Fields go with their pages."""
    return _of(project_id, "inbox", "waiting")


def inbox_tries(project_id: str) -> str:
    """Hash: stream id -> failed tries to apply it. Fields go with their pages."""
    return _of(project_id, "inbox", "tries")


def set_aside(project_id: str) -> str:
    """Stream of pages that could not be applied, whole. At most 100, of 30 days; the key lives a day more."""
    return _of(project_id, "aside")


def quarantine(project_id: str) -> str:
    """Stream of members that could not be used: session, page, index, reason. 10,000 or so, of 30 days."""
    return _of(project_id, "quarantine")


def quarantine_counts(project_id: str) -> str:
    """Hash: how many members and pages were ever put aside with their reason, and how they went. Kept."""
    return _of(project_id, "quarantine", "counts")


# --- cohorts and their membership ------------------------------------------------------------------------


def cohorts(project_id: str) -> str:
    """Set of the ids of the project's cohorts. Kept; written by commit.lua."""
    return _of(project_id, "cohorts")


def cohort(project_id: str, cohort_id: str) -> str:
    """Hash: name, description, counts, buckets and the epoch machine. Kept; written by commit.lua."""
    return _of(project_id, "c", _id(cohort_id))


def bucket(project_id: str, cohort_id: str, number: int) -> str:
    """Hash of about 100 members: packed distinct_id -> packed entry. Kept; written by commit.lua."""
    return _of(project_id, "m", _id(cohort_id), str(number))


def epochs(project_id: str, cohort_id: str) -> str:
    """Hash: epoch -> session and time. Kept, one small field an epoch; written by commit.lua."""
    return _of(project_id, "c", _id(cohort_id), "epochs")


def named(project_id: str, cohort_id: str, attempt: int) -> str:
    """List of packed ids that an attempt changed. The lane drops it once the attempt is settled."""
    return _of(project_id, "c", _id(cohort_id), "named", str(attempt))


def session(project_id: str, cohort_id: str, session_id: str) -> str:
    """Hash: what one export has sent so far. Lives `session_days`; written by commit.lua."""
    return _of(project_id, "s", _id(cohort_id), _id(session_id))


def session_pages(project_id: str, cohort_id: str, session_id: str) -> str:
    """Hash: action and page number -> content digest and round. Lives `session_days`; by commit.lua."""
    return _of(project_id, "s", _id(cohort_id), _id(session_id), "pages")


def sessions(project_id: str, cohort_id: str) -> str:
    """Sorted set of session ids by the time of their first page. Trimmed to `session_days` by commit.lua."""
    return _of(project_id, "c", _id(cohort_id), "sessions")


def trust(project_id: str) -> str:
    """String (JSON): what the project has proven about its sender. Kept; written by commit.lua."""
    return _of(project_id, "trust")


def due(project_id: str) -> str:
    """Sorted set: cohort id -> when (ms) it has something to do without a page. Written by commit.lua."""
    return _of(project_id, "due")


# --- full lists that remove many, silence, drift ---------------------------------------------------------


def holds_answered(project_id: str) -> str:
    """Hash: cohort id -> what a person said about its held list. commit.lua takes fields out; by say.lua."""
    return _of(project_id, "holds", "answered")


def muted(project_id: str) -> str:
    """Hash: cohort id -> when (ms) somebody muted its silence. Kept; fields go as it is unmuted."""
    return _of(project_id, "muted")


def audit_of(project_id: str) -> str:
    """Hash: how the audit of the project's cohorts stands, a field a cohort that differs.

    Kept; written by the resync lane (tell.lua).
    """
    return _of(project_id, "drift")


# --- rules ------------------------------------------------------------------------------------------------


def rule_sets(project_id: str) -> str:
    """Hash: digest -> rule set (JSON) that entries of the log and cohorts name. Kept, one a change of rules.

    Written by the apply lane, the clock and ask_rules.lua.
    """
    return _of(project_id, "rules", "sets")


def rules_meta(project_id: str) -> str:
    """Hash: the first rules that are known of the project, and who asked last to apply which. Kept.

    Written as `rule_sets`.
    """
    return _of(project_id, "rules", "meta")


def rules_rung(project_id: str) -> str:
    """Hash: cohort id -> digest of the rules that its members are to be brought to, and when it was asked.

    Written by ask_rules.lua; commit.lua takes fields out.
    """
    return _of(project_id, "rules", "rung")


# --- the change log --------------------------------------------------------------------------------------


def log(project_id: str) -> str:
    """Stream: the ordered change log, ids `<sequence>-0`. Trimmed behind its readers."""
    return _of(project_id, "log")


def log_meta(project_id: str) -> str:
    """Hash: generation and last sequence of the log, its bytes, changes ever by cause and kind, gaps.

    Kept; written wherever an entry is appended. `dropped` grows with every entry that an erasure takes out.
    """
    return _of(project_id, "log", "meta")


def log_gaps(project_id: str) -> str:
    """Hash: consumer of the log -> entries it is missing (JSON). Fields go once it reads on; by gap.lua."""
    return _of(project_id, "log", "gaps")


# --- resyncs ----------------------------------------------------------------------------------------------


def resync_numbers(project_id: str) -> str:
    """String: how many resyncs were ever asked for. Kept; counted by ask.lua."""
    return _of(project_id, "resync", "numbers")


def resyncs(project_id: str) -> str:
    """Sorted set: number of a resync -> when (ms) it was asked for. Trimmed to 30 days by ask.lua."""
    return _of(project_id, "resyncs")


def resync(project_id: str, number: int) -> str:
    """Hash: one resync, what it came to, a sample of ids if it only looks. Lives 30 days after its end."""
    return _of(project_id, "resync", "n", str(number))


def resyncs_open(project_id: str) -> str:
    """Hash: cohort id -> number of its resync under way. Fields go as it ends; by ask.lua and commit.lua."""
    return _of(project_id, "resyncs", "open")


def resyncs_rung(project_id: str) -> str:
    """Hash: cohort id -> number of its resync that waits for the apply lane. commit.lua takes fields out."""
    return _of(project_id, "resyncs", "rung")


def resyncs_due(project_id: str) -> str:
    """Sorted set: number of a resync -> when (ms) it was put there to be read, or to be tidied up behind.

    Written by the resync scripts and commit.lua; numbers go once the resync lane has nothing more to do.
    """
    return _of(project_id, "resyncs", "due")


def resync_read(project_id: str, number: int, bucket: int) -> str:
    """Hash of about 100 members read from Mixpanel: packed distinct_id -> exported properties, or nothing.

    Lives 30 days from its last write; dropped by the resync lane once the resync has ended. By keep.lua.
    """
    return _of(project_id, "resync", "read", str(number), str(bucket))


def resync_gone(project_id: str, number: int, bucket: int) -> str:
    """Hash: packed distinct_id of whom a page made absent during a reconcile -> nothing. As `resync_read`."""
    return _of(project_id, "resync", "gone", str(number), str(bucket))


# --- destinations ----------------------------------------------------------------------------------------


def destination(project_id: str, name: str) -> str:
    """Hash: cursor, remembered window and state of a destination. Kept; written by its lane."""
    return _of(project_id, "d", name)


def destination_accepted(project_id: str, name: str) -> str:
    """Set: marks of what is settled or begun of the current window (rounds, batches, operations).

    Written by settle.lua and intend.lua; dropped by advance.lua.
    """
    return _of(project_id, "d", name, "accepted")


# --- operating a project ----------------------------------------------------------------------------------


def held(project_id: str) -> str:
    """Hash: who paused the project, who stopped its accepting, why and since when; no field where nobody did.

    Kept; written by pause.lua and let_go.lua. `closed_left` says how much was to be done then.
    """
    return _of(project_id, "held")


# --- outboxes ---------------------------------------------------------------------------------------------


def destination_syncs(project_id: str, name: str) -> str:
    """Hash: cohort id -> what was delivered before its open syncs (JSON); '' -> before the window at hand.

    Kept, a field a cohort; written by advance.lua.
    """
    return _of(project_id, "d", name, "syncs")


def destination_completing(project_id: str, name: str) -> str:
    """Hash: sequence of a waiting room -> entry to append once the room is past it (JSON). By advance.lua."""
    return _of(project_id, "d", name, "completing")


def outbox(project_id: str, name: str) -> str:
    """Stream of what services submitted, ids `<sequence>-0`. submit.lua adds; dropped behind its lane."""
    return _of(project_id, "outbox", name)


def outbox_meta(project_id: str, name: str) -> str:
    """Hash: last sequence of an outbox, bytes and records that wait in it. Kept."""
    return _of(project_id, "outbox", name, "meta")


def outbox_request(project_id: str, name: str, key: str) -> str:
    """Hash: digest and answer of a request, for its repetition. Lives a day or less; by submit.lua."""
    return _of(project_id, "outbox", name, "request", _id(key))


def waiting(project_id: str, lane: str) -> str:
    """Stream: a lane's updates that wait for links, ids `<sequence>-0`. hold.lua adds; trimmed once sent."""
    return _of(project_id, "waiting", _id(lane))


def waiting_meta(project_id: str, lane: str) -> str:
    """Hash: last sequence of what waits, the sequence up to which it is whole, bytes. Kept; by hold.lua."""
    return _of(project_id, "waiting", _id(lane), "meta")


def waiting_ids(project_id: str, lane: str) -> str:
    """Sorted set: distinct_id -> sequence of the last thing that waits for it. Ids go once that is sent."""
    return _of(project_id, "waiting", _id(lane), "ids")


def dead_letters(project_id: str) -> str:
    """Stream of records that could not be delivered. Capped in number and age, what goes is counted."""
    return _of(project_id, "dead")


def dead_letter_counts(project_id: str) -> str:
    """Hash: counters of dead letters by destination and code, and of those that went, by how. Kept."""
    return _of(project_id, "dead", "counts")


def dead_letters_redriven(project_id: str) -> str:
    """Sorted set: id of a dead letter -> when (ms) it was redriven. The newest 10,000; by redrive.lua."""
    return _of(project_id, "dead", "redriven")


# --- identity --------------------------------------------------------------------------------------------


def identity_ids(project_id: str, bucket: int) -> str:
    """Hash of about 100 ids: packed distinct_id -> number of its cluster. Kept; written by record.lua."""
    return _of(project_id, "identity", "ids", str(bucket))


def identity_clusters(project_id: str, bucket: int) -> str:
    """Hash of 64 clusters: number (and part) -> packed ids and links. Kept; written by record.lua."""
    return _of(project_id, "identity", "clusters", str(bucket))


def identity_whys(project_id: str, bucket: int) -> str:
    """Hash: digest -> why links were made (JSON), shared by those of a sync. Kept; written by record.lua.

    A rule and session adds an entry, so they lie in 4,096 hashes.
    """
    return _of(project_id, "identity", "whys", str(bucket))


def identity_meta(project_id: str) -> str:
    """Hash: version and counts of the ledger, and how far its outbox is indexed. Kept; by identity lanes."""
    return _of(project_id, "identity", "meta")


def identity_refused(project_id: str) -> str:
    """Sorted set: digest of a rule's link -> when (ms) it was refused. A week, the newest 100,000."""
    return _of(project_id, "identity", "refused")


def identity_pending(project_id: str) -> str:
    """Hash: digest of a distinct_id -> last outbox sequence with a link of it. Fields go with their links."""
    return _of(project_id, "identity", "pending")


# --- erasures ---------------------------------------------------------------------------------------------


def erasure_numbers(project_id: str) -> str:
    """String: how many erasures were ever asked for. Kept; counted as they are asked for."""
    return _of(project_id, "erasure", "numbers")


def erasures(project_id: str) -> str:
    """Sorted set: number of an erasure -> the same. Trimmed to the newest 10,000 by erase.lua."""
    return _of(project_id, "erasures")


def erasure(project_id: str, number: int) -> str:
    """Hash: one erasure, and what it came to. Lives 400 days; the person's ids go from it before its end.

    Written by erase.lua, the erasure lane, and each lane that has a share in it.
    """
    return _of(project_id, "erasure", "n", str(number))


def erasures_open(project_id: str) -> str:
    """Hash: number of an erasure that is not through, or suppresses somebody -> its state. Fields go then."""
    return _of(project_id, "erasures", "open")


def erasures_due(project_id: str) -> str:
    """Sorted set: number of an erasure -> when (ms) its lane looks at it again. As `erasures_open`."""
    return _of(project_id, "erasures", "due")


def suppressed(project_id: str) -> str:
    """Hash: digest of an erased distinct_id -> number of its erasure; and the salt. By the erasure lane."""
    return _of(project_id, "suppressed")


def rebuilt(project_id: str, name: str) -> str:
    """Stream: a copy of another one that lacks somebody, until it takes its place. By copy.lua."""
    return _of(project_id, "rebuilt", name)


# --- Mixpanel --------------------------------------------------------------------------------------------


def ingestion_budget(project_id: str) -> str:
    """Hash: records and bytes sent, a field a second, for the rolling minute. Lives two minutes."""
    return _of(project_id, "budget", "ingestion")


def request_window(project_id: str, name: str, number: int) -> str:
    """Sorted set: request -> when (us) it began, of a family's n-th window. Lives as long, and a minute."""
    return _of(project_id, "budget", name, "window", str(number))


def requests_under_way(project_id: str, name: str) -> str:
    """Sorted set: request of a family -> when (us) its lease ends. Lives two hours; by request_begin.lua."""
    return _of(project_id, "budget", name, "under-way")


def size_limit(project_id: str) -> str:
    """String: the largest request, in bytes, that this project's 413 answers have taught. Lives 30 days."""
    return _of(project_id, "size-limit")


# --- answers of Mixpanel's API ----------------------------------------------------------------------------


def api_answers(project_id: str) -> str:
    """Sorted set: kept answer (digest, version, pieces, bytes) -> when (ms) it ends. Lives as they do."""
    return _of(project_id, "api", "answers")


def api_answer(project_id: str, digest: str) -> str:
    """String: facts and first piece of a kept answer, compressed. Lives as its endpoint says."""
    return _of(project_id, "api", "answer", _id(digest))


def api_answer_piece(project_id: str, version: str, number: int) -> str:
    """String: a further piece of a kept answer. Lives as long; by app/mixpanel/calling/cache.py."""
    return _of(project_id, "api", "piece", _id(version), str(number))


def api_flight(project_id: str, digest: str) -> str:
    """String: token of who is asking Mixpanel this question now. Lives as long as a request can take."""
    return _of(project_id, "api", "flight", _id(digest))


def api_flight_end(project_id: str, digest: str) -> str:
    """String: how a flight failed, for those who waited for it. Lives seconds; by flight_end.lua."""
    return _of(project_id, "api", "flight-end", _id(digest))


# --- the life of a project --------------------------------------------------------------------------------


def leaving(project_id: str) -> str:
    """Hash: that the project is being deleted, and what of it went so far. Goes last; by unlink.lua."""
    return _of(project_id, "leaving")


class Place(NamedTuple):
    """What a key's name says: whose it is (empty: no project's), and the first word of what it holds."""

    project_id: str
    kind: str

    @classmethod
    def of(cls, key: bytes) -> "Place | None":
        """Read a name; None where it is none of ours."""
        found = _PLACE.match(key.decode("ascii", "replace"))
        if found is None or not any(found.groups()):
            return None
        tag, kind = found.groups()
        return cls("", tag) if tag in OF_NO_PROJECT else cls(tag or "", kind)

    @staticmethod
    def pattern(project_id: str | None = None) -> str:
        """Return what SCAN matches: the keys of a project, or all of ours."""
        return f"{PREFIX}*" if project_id is None else f"{_of(project_id)}:*"


OF_NO_PROJECT: Final = frozenset({"audit", "logins", "metrics"})
"""Hash tags that are no project's."""
_PLACE: Final = re.compile(PREFIX + r"(?:\{([A-Za-z0-9_-]+)\}(?::|$))?([a-z-]*)")


# --- webhook subscriptions ---------------------------------------------------------------------------------


def subscriptions() -> str:
    """Hash: subscription id -> what its owner wants (JSON, its secrets too), of all projects. Kept."""
    return f"{PREFIX}subscriptions"


def subscription_places(project_id: str) -> str:
    """Sorted set: subscription id -> sequence up to which it was told everything. These hold the log."""
    return _of(project_id, "subscriptions", "places")


def subscription_turns(project_id: str) -> str:
    """Sorted set: subscription id -> when it is its turn; those that are paused or ended are not in it.

    The score tells three things apart, by what `app.subscriptions.turns` adds to it. Written by its scripts.
    """
    return _of(project_id, "subscriptions", "turns")


def subscription_counts(project_id: str) -> str:
    """Hash: messages taken, tries that failed, gaps told, entries lost, of all that ever were. Kept."""
    return _of(project_id, "subscriptions", "counts")


def subscription(project_id: str, subscription_id: str) -> str:
    """Hash: how far a subscription has come in a project, and how it goes. Kept until it is deleted."""
    return _of(project_id, "subscription", _id(subscription_id))


def subscription_deliveries(project_id: str, subscription_id: str) -> str:
    """Stream of the last requests to a subscription's receiver. At most 200, for a week."""
    return _of(project_id, "subscription", _id(subscription_id), "deliveries")


# --- access to the API: of no project, so each key is used by itself --------------------------------------


def tokens() -> str:
    """Set: ids of the tokens. Kept; ids go with their tokens."""
    return f"{PREFIX}tokens"


def token(token_id: str) -> str:
    """Hash: what a token may do, and its digest. Kept until revoked, or 30 days behind its expiry."""
    return f"{PREFIX}token:{token_id}"


def audit(name: str) -> str:
    """Stream: who changed what. Capped in number and age; written by audit.lua."""
    return f"{PREFIX}{{audit}}:{name}"


def audit_meta(name: str) -> str:
    """Hash: how many entries an audit log was ever given. Kept; written by audit.lua."""
    return f"{PREFIX}{{audit}}:{name}:meta"


def failed_logins(client: str) -> str:
    """String: wrong tokens that came from a client. Lives a minute; written by failed.lua."""
    return f"{PREFIX}{{logins}}:failed:{_id(client)}"


def failed_login_counts() -> str:
    """Hash: wrong tokens ever, those not logged yet, and when some were logged last. Kept; by failed.lua."""
    return f"{PREFIX}{{logins}}:counts"


# --- the state as a whole ---------------------------------------------------------------------------------


def state_format() -> str:
    """String: version of the stored state. Kept; written by the first process that finds no state."""
    return f"{PREFIX}format"


def upgrade() -> str:
    """Hash: how far an upgrade of the stored state is. There while one is under way; by `flask state`."""
    return f"{PREFIX}upgrade"


def upgrade_lock() -> str:
    """String: who upgrades the stored state. Lives a minute; taken and renewed by `flask state upgrade`."""
    return f"{PREFIX}upgrade-lock"


# --- processes -------------------------------------------------------------------------------------------


def heartbeats() -> str:
    """Hash: process name -> time (ms) of its last sign of life. Stale fields are dropped by the clock."""
    return f"{PREFIX}heartbeats"


def metrics() -> str:
    """Hash: series (JSON: name, labels, which number) -> what all processes counted. Kept; by add.lua.

    Of refused pages it has the time (ms) of the last one, too; by what calls add.lua.
    """
    return f"{PREFIX}{{metrics}}"


def metrics_added(process: str) -> str:
    """String: number of a process's last addition to the metrics. Lives an hour; by add.lua."""
    return f"{PREFIX}{{metrics}}:added:{process}"


def clock_lock() -> str:
    """String: which clock process ticks. Lives some seconds; taken and renewed by the clock."""
    return f"{PREFIX}clock"
