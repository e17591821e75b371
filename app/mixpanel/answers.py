"""Read what the ingestion API says about a batch. Pure: an answer and a count in, a `BatchResult` out.

The status code says little: `/engage` answers 200 to records that it throws away. So the body decides. Three
shapes are known: `{"code": 200|400, "status": "OK"|"Bad Request", "failed_records": [...]}` (strict),
`{"status": 1|0, "error": ...}` (verbose) and a plain `1` or `0`.
"""

import re
from collections.abc import Callable
from typing import Any, TypeGuard

import orjson

from app.mixpanel.errors import Retryable
from app.mixpanel.results import BatchResult, RecordFailure

REASON_CHARS = 200
RESPONSE_CHARS = 500

_COUNTS = ("num_records_imported", "num_good_events")
_OK = 200
_BAD_REQUEST = 400
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f]+")

Redact = Callable[[str], str]


def redactor(*secrets: str) -> Redact:
    """Make the function that takes secrets out of a text, as they are and as JSON writes them."""
    forms = {form for secret in secrets if secret for form in (secret, orjson.dumps(secret).decode()[1:-1])}
    longest_first = sorted(forms, key=len, reverse=True)

    def redact(text: str) -> str:
        for form in longest_first:
            text = text.replace(form, "***")
        return text

    return redact


def read(status: int, body: bytes, records: int, redact: Redact) -> BatchResult:
    """Say what became of a batch.

    Args:
        status: HTTP status, 200 or 400.
        body: The answer's body.
        records: How many records the batch had (1 or more).
        redact: Takes the token out of a text.

    Raises:
        Retryable: The answer says neither success nor refusal; the outcome is unknown.
    """
    answer = _parsed(body)
    response = _short(redact(body.decode(errors="replace")), RESPONSE_CHARS)
    if not isinstance(answer, dict):
        accepted = records if _plain_success(status, answer) else 0
        return _settled(records, accepted, (), "refused without a reason", response)
    failures, unplaced = _failures(answer, records, redact)
    success = _success(status, answer, named=bool(failures or unplaced))
    rest = records - len(failures)
    by_name = success or bool(failures or unplaced)
    accepted = _accepted(_count(answer, rest), rest, unplaced, by_name=by_name)
    reason = _short(redact(_text(answer.get("error"))), REASON_CHARS) or "refused without a reason"
    return _settled(records, accepted, failures, reason, response)


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _plain_success(status: int, answer: Any) -> bool:
    """Read the answer without flags. A 1 hides bad records beside a good one: nothing more can be known."""
    if status == _BAD_REQUEST or (answer == 0 and _is_int(answer)):
        return False
    if answer == 1 and _is_int(answer):
        return True
    raise Retryable("the answer could not be read", status=status)


def _success(status: int, answer: dict[str, Any], *, named: bool) -> bool:
    """Decide whether an object says that the records it does not name were accepted."""
    if status == _BAD_REQUEST:
        return False
    code, word = answer.get("code"), answer.get("status")
    if _is_int(code) and code not in (_OK, _BAD_REQUEST):
        raise Retryable(f"the answer's code is {code}", status=status)
    if code == _BAD_REQUEST or word in ("error", "Bad Request") or (word == 0 and _is_int(word)):
        return False
    if code == _OK or (word == 1 and _is_int(word)) or word in ("OK", "ok"):
        return True
    if named or answer.get("error"):
        return False
    raise Retryable("the answer could not be read", status=status)


def _accepted(count: int | None, rest: int, unplaced: int, *, by_name: bool) -> int:
    """Count what was accepted of the records that were not refused by name.

    Valid records beside invalid ones are imported, so a refusal by name settles the others too. A number in
    the answer is believed before anything else: taking a record for accepted that was not would lose it.
    """
    if count is not None:
        return count
    return max(rest - unplaced, 0) if by_name else 0


def _count(answer: dict[str, Any], most: int) -> int | None:
    """Give the number of accepted records where the answer has one that can be true."""
    for name in _COUNTS:
        count = answer.get(name)
        if _is_int(count) and 0 <= count <= most:
            return count
    return None


def _failures(answer: dict[str, Any], records: int, redact: Redact) -> tuple[tuple[RecordFailure, ...], int]:
    """Read `failed_records`: the refused records by index, and how many entries name none of ours."""
    entries = answer.get("failed_records")
    if not isinstance(entries, list):
        return (), 0
    by_index: dict[int, RecordFailure] = {}
    unplaced = 0
    for entry in entries:
        index = _index(entry, records)
        if index is None:
            unplaced += 1
        elif index not in by_index:
            by_index[index] = _failure(index, entry, redact)
    return tuple(by_index[index] for index in sorted(by_index)), unplaced


def _index(entry: Any, records: int) -> int | None:
    index = entry.get("index") if isinstance(entry, dict) else None
    if isinstance(index, float) and index.is_integer():
        index = int(index)
    return index if _is_int(index) and 0 <= index < records else None


def _failure(index: int, entry: dict[str, Any], redact: Redact) -> RecordFailure:
    said = ": ".join(part for part in (_text(entry.get("field")), _text(entry.get("message"))) if part)
    reason = _short(redact(said), REASON_CHARS) or "refused without a reason"
    return RecordFailure(index, reason, _short(redact(orjson.dumps(entry).decode()), RESPONSE_CHARS))


def _settled(
    records: int, accepted: int, failures: tuple[RecordFailure, ...], reason: str, response: str
) -> BatchResult:
    unsettled = records - accepted - len(failures)
    if not unsettled:
        return BatchResult(accepted, failures)
    if records == 1:  # a record that stands alone needs no name
        return BatchResult(0, (RecordFailure(0, reason, response),))
    return BatchResult(accepted, failures, unsettled, reason, response)


def _is_int(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _short(text: str, chars: int) -> str:
    """Put a text on one line of at most `chars` characters. Secrets must be out of it already."""
    line = _BLANKS.sub(" ", text).strip()
    return line if len(line) <= chars else line[: chars - 1] + "…"
