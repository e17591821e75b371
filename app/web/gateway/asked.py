"""Read what a call of the gateway asks for: arguments, body, and how long to wait."""

from dataclasses import dataclass
from typing import Any, Final

from flask import Request

from app.mixpanel.catalog.row import Endpoint
from app.web.api.bodies import read_object, read_records, read_text
from app.web.api.kinds import INVALID_BODY, INVALID_QUERY, INVALID_RECORDS
from app.web.api.problems import Fault, Problem, named
from app.web.gateway.offered import PICKLISTS, takes_whole_body

MOST_WAIT_S: Final = 60.0
_YES: Final = frozenset({"", "1", "true"})
_NO: Final = frozenset({"0", "false"})
_OWN: Final = ("fresh", "wait")
_TEXTS: Final = ("text/csv", "text/plain")


@dataclass(frozen=True, slots=True)
class Asked:
    """A call.

    Attributes:
        arguments: By name; text, or a list of texts, where they stand in the address.
        body: To be sent as it is, or None.
        fresh: Whether no answer that was asked for before will do.
        wait_s: How long to wait for a slot of the budget.
        picklist: Whether labels and keys are wanted.
    """

    arguments: dict[str, Any]
    body: Any = None
    fresh: bool = False
    wait_s: float = 0.0
    picklist: bool = False


def read(request: Request, row: Endpoint, limit_bytes: int) -> Asked:
    """Read a call of an endpoint.

    Raises:
        Problem: It cannot be read; whether the endpoint takes it is for the client to say.
    """
    given: dict[str, Any] = {
        name: found[0] if len(found) == 1 else found for name, found in request.args.lists()
    }
    own = {name: given.pop(name, None) for name in _OWN}
    picklist = row.key in PICKLISTS and given.get("format") == "picklist"
    if picklist:
        del given["format"]
    body = _body(request, row, limit_bytes)
    if isinstance(body, dict) and not takes_whole_body(row):
        given, body = _joined(given, body), None
    return Asked(given, body, _flag("fresh", own["fresh"]), _wait_s(own["wait"]), picklist)


def _body(request: Request, row: Endpoint, limit_bytes: int) -> Any:
    if not request.content_length and "Transfer-Encoding" not in request.headers:
        return None
    if row.body.shape == "text":
        return read_text(request, _TEXTS, limit_bytes)
    if row.body.shape == "records":
        received = read_records(request, limit_bytes)
        faults = [record.fault for record in received.records if record.fault]
        if faults:
            raise Problem(INVALID_RECORDS, f"Wrong: {named(faults)}. Nothing was sent.", faults)
        return [record.value for record in received.records]
    return read_object(request, limit_bytes)


def _joined(given: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    twice = [Fault(name, "stands in the address, too", "twice") for name in body if name in given]
    if twice:
        raise Problem(INVALID_BODY, f"Given twice: {named(twice)}.", twice)
    return {**given, **body}


def _flag(name: str, text: Any) -> bool:
    if text is None or text in _NO:
        return False
    if text in _YES:
        return True
    raise _wrong(name, "must be true or false")


def _wait_s(text: Any) -> float:
    if text is None:
        return 0.0
    if isinstance(text, str) and text.isascii() and text.isdecimal() and int(text[:9]) <= MOST_WAIT_S:
        return float(text)
    raise _wrong("wait", f"must be seconds, a whole number of at most {MOST_WAIT_S:.0f}")


def _wrong(name: str, detail: str) -> Problem:
    return Problem(INVALID_QUERY, f"Wrong: {name}.", [Fault(name, detail, "invalid")])
