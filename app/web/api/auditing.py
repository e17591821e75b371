"""Write every changing call into the audit log, before its answer is sent.

Whoever has a token and calls with another method than GET, or calls the gateway, is recorded, refused or not:
`Access` begins the entry for every route there is, so that none can forget it. A call without a valid token
changes nothing, and has nobody to name; it is counted as a failed login.

A call's answer says what was done. So where the entry cannot be written, the answer is sent all the same,
and the log line `audit_not_written` stands in for it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask, Response, g, request
from redis import RedisError
from structlog.stdlib import get_logger

from app.access.audit import Actor, Audit, Entry, Log, hashed
from app.access.token import Token
from app.store.faults import redis_word
from app.web.api.kinds import STORE_UNAVAILABLE
from app.web.api.log import fields
from config.secret import Secret

PERSONAL: Final = frozenset({"distinct_id"})
"""Parameters of addresses that name a person."""
PLAIN: Final = frozenset(
    {
        "project_id",
        "cohort_id",
        "letter_id",
        "session_id",
        "resync_id",
        "erasure_id",
        "number",
        "destination",
        "lane",
        "consumer",
        "subscription_id",
        "queue",
        "job_id",
        "family",
        "endpoint",
    }
)
"""Parameters of addresses that name nobody. Any other is treated as if it did."""
_ID: Final = re.compile(r"[\w.:-]{1,100}", re.ASCII)
_UNREADABLE: Final = "?"


@dataclass(frozen=True, slots=True)
class _Begun:
    token: Token
    log: Log


def begin_entry(token: Token, needed: str) -> None:
    """Let the request that is being answered have an entry, if it is one that changes something.

    All calls of the gateway have one: their addresses name an endpoint of Mixpanel.
    """
    if "endpoint" in (request.view_args or {}):
        g.audited = _Begun(token, "mixpanel")
    elif request.method not in {"GET", "HEAD", "OPTIONS"}:
        g.audited = _Begun(token, "ingest" if needed == "ingest" else "changes")


def audit_calls(app: Flask, audit: Audit, key: Secret) -> None:
    """Write an entry for each changing call; distinct_ids are hashed with the key."""

    def end(answer: Response) -> Response:
        begun: _Begun | None = g.pop("audited", None)
        if begun is not None:
            _write(audit, begun, _entry(begun, answer.status_code, key))
        return answer

    app.after_request(end)


def _write(audit: Audit, begun: _Begun, entry: Entry) -> None:
    if entry.outcome == STORE_UNAVAILABLE.code:  # nor would it take this; no thread shall wait for that twice
        _not_written(entry, redis="unavailable")
        return
    try:
        audit.write(entry, begun.log)
    except RedisError as error:
        _not_written(entry, error=type(error).__name__, redis=redis_word(error))


def _not_written(entry: Entry, **why: Any) -> None:
    get_logger().error(
        "audit_not_written",
        actor=entry.actor.id,
        action=entry.action,
        outcome=entry.outcome,
        status=entry.status,
        **entry.resources,
        **why,
    )


def _entry(begun: _Begun, status: int, key: Secret) -> Entry:
    line, token = fields(), begun.token
    decided = {"decision": str(line.get("decision", "denied"))} if begun.log == "mixpanel" else {}
    return Entry(
        actor=Actor("token", token.id, token.name),
        action=f"{request.method} {request.url_rule}",
        resources={**_resources(request.view_args or {}, key), **decided},
        outcome=line.get("outcome", "ok"),
        status=status,
        counts={name: int(value) for name, value in line.items() if isinstance(value, int)},
    )


def _resources(arguments: Mapping[str, Any], key: Secret) -> dict[str, str]:
    return {
        name: _plain(str(value)) if name in PLAIN else hashed(str(value), key)
        for name, value in arguments.items()
    }


def _plain(value: str) -> str:
    """Return an id as it stands in the address, where it is like one: anything can stand there."""
    return value if _ID.fullmatch(value) else _UNREADABLE
