"""One request to the API, and what is noted about it on its way to an answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from app.sandbox.api.answers import Modes
from app.sandbox.api.ingest import Ingested


class Fate(Enum):
    """What happens to a connection instead of an answer."""

    CUT = "closed at once"
    HELD = "left open, until the client gives up"


@dataclass
class Call:
    """A request.

    Attributes:
        modes: What the query string asks for.
        body: As received.
        mimetype: Of the body.
        encoding: Of the body; empty for none.
        integration_id: The header `X-Mixpanel-Integration-ID`.
        username: Of Basic authentication; None without.
        password: Likewise.
        bearer: Of bearer authentication; empty without.
        address: The client's own.
        query: All of the query string.
        size_bytes: Of the body once it is unpacked.
        records: What the body holds; None if it could not be read.
        problem: Why it could not.
        too_large: It was not even unpacked, being larger than a request may be.
        ingested: What became of the records.
        fault: The injected fault that struck.
    """

    modes: Modes
    body: bytes
    mimetype: str
    encoding: str
    integration_id: str | None = None
    username: str | None = None
    password: str = ""
    bearer: str = ""
    address: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    size_bytes: int = 0
    records: list[Any] | None = None
    problem: str = ""
    too_large: bool = False
    ingested: Ingested = field(default_factory=lambda: Ingested(0, ()))
    fault: str | None = None
