"""Turn what processes log into the few short lines that a person at the terminal wants to see."""

import json
import unicodedata
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["sync", "warning", "error"]

_NAME_COLUMNS = 28
HEADER = (
    f"{'time':<8}  {'cohort':<{_NAME_COLUMNS}}  {'entered':>9}  {'exited':>9}  {'updated':>9}  "
    f"{'members':>11}  up to date after"
)
_VALUE_CHARACTERS = 80
_RAW_CHARACTERS = 200
_SHOWN_FIELDS = 6
_KINDS: Mapping[str, Kind] = {
    "warning": "warning",
    "warn": "warning",
    "error": "error",
    "exception": "error",
    "critical": "error",
    "fatal": "error",
}
_NOT_SHOWN = frozenset(
    (
        "event",
        "level",
        "timestamp",
        "time",
        "logger",
        "pid",
        "process",
        "thread",
        "func_name",
        "lineno",
        "outcome",
        "fence",
        "sequence",
        "batch",
    )
)
# What tells one fault from another comes first: only so many fields are shown.
_FIRST_FIELDS = ("status", "error", "redis", "field", "cause", "reason")
_TRACEBACK = b"Traceback (most recent call last):"


@dataclass(frozen=True)
class Line:
    """A line to show. Lines with equal keys say the same thing again."""

    kind: Kind
    text: str
    key: Hashable


class LineReader:
    """Pick the lines worth showing out of the processes' logs.

    Remembers, for each process, whether a plain traceback is under way: of that, only the last line is shown.
    """

    def __init__(self) -> None:
        self._in_traceback: set[str] = set()

    def read(self, process: str, line: bytes) -> Line | None:
        """Return what to show for a line that `process` wrote, None for most of them."""
        if line.startswith(b"{"):
            return from_record(process, _parse(line))
        if line.startswith(_TRACEBACK):
            self._in_traceback.add(process)
        elif process in self._in_traceback and line.strip() and not line.startswith(b" "):
            self._in_traceback.discard(process)
            error = printable(line.decode(errors="replace"))
            return Line("error", f"{process}: {shorten(error)}", (process, error.partition(":")[0]))
        return None


def from_record(process: str, record: Mapping[str, Any]) -> Line | None:
    """Return what to show for a log record: a finished sync, a warning or an error."""
    if record.get("event") == "sync_delivered":
        return Line("sync", sync_text(record), (record.get("cohort_id"), record.get("session_id")))
    kind = _KINDS.get(str(record.get("level", "")).lower())
    if kind is None:
        return None
    said = _said(record)
    return Line(kind, f"{process}: {shorten(said)}{_fields(record)}", (process, kind, said))


def brief(line: str) -> str:
    """Return a line of a log in a form for reading: a record as its level, event and fields, others cut."""
    record = _parse(line.encode()) if line.startswith("{") else {}
    if "event" not in record:
        return printable(line)[:_RAW_CHARACTERS]
    return f"{record.get('level', '')!s:<8} {_said(record)[:_RAW_CHARACTERS]}{_fields(record)}"


def sync_text(record: Mapping[str, Any]) -> str:
    """Return the columns of a finished sync, below those of `HEADER` after the time."""
    name = fit(printable(str(record.get("cohort_name", "?"))), _NAME_COLUMNS)
    entered, exited = (
        _number(record.get(field), sign) for field, sign in (("entered", "+"), ("exited", "-"))
    )
    updated, members = _number(record.get("updated"), "~"), _number(record.get("members"))
    seconds = record.get("seconds")
    took = f"{seconds:.1f} s" if isinstance(seconds, int | float) else "?"
    return f"{name}  {entered:>9}  {exited:>9}  {updated:>9}  {members:>11}  {took:>7}"


def fit(text: str, columns: int) -> str:
    """Pad or cut a text to exactly that many terminal columns."""
    widths = [_columns(character) for character in text]
    if sum(widths) <= columns:
        return text + " " * (columns - sum(widths))
    kept, used = "", 1  # a column for the ellipsis
    for character, width in zip(text, widths, strict=True):
        if used + width > columns:
            break
        kept, used = kept + character, used + width
    return kept + "…" + " " * (columns - used)


def printable(text: str) -> str:
    """Replace what a terminal would obey rather than show (a cohort's name is the outside world's)."""
    return "".join(character if character.isprintable() else "�" for character in text)


def shorten(text: str) -> str:
    """Cut a text that would fill the line."""
    return text if len(text) <= _VALUE_CHARACTERS else text[: _VALUE_CHARACTERS - 1] + "…"


def _said(record: Mapping[str, Any]) -> str:
    """Return the event, and how it came out: two refusals of pages are two messages, not one repeated."""
    words = [record.get("event", ""), *([record["outcome"]] if "outcome" in record else [])]
    return printable(": ".join(map(str, words)))


def _fields(record: Mapping[str, Any]) -> str:
    shown = [
        f"{name}={shorten(printable(str(value)))}"
        for name, value in sorted(record.items(), key=_rank)
        if name not in _NOT_SHOWN and name != "exception" and isinstance(value, str | int | float)
    ][:_SHOWN_FIELDS]
    if trace := str(record.get("exception") or "").strip():
        shown.append(shorten(printable(trace.splitlines()[-1])))
    return f" ({', '.join(shown)})" if shown else ""


def _rank(field: tuple[str, Any]) -> int:
    return _FIRST_FIELDS.index(field[0]) if field[0] in _FIRST_FIELDS else len(_FIRST_FIELDS)


def _number(value: Any, sign: str = "") -> str:
    if not isinstance(value, int):
        return "?"
    return f"{sign if value else ''}{value:,}"


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _parse(line: bytes) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
