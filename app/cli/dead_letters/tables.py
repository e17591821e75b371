"""Dead letters as text."""

from collections.abc import Sequence
from typing import Final

import orjson

from app.cli.formatting import ago, clean, moment, plural, size, table
from app.destinations.dead_letters import StoredLetter
from app.destinations.dead_letters.records import shown
from app.destinations.dead_letters.redriving import RedriveStep

Found = tuple[str, StoredLetter]
"""A project's id, and one of its letters."""
_REASON: Final = 60


def letters_table(found: Sequence[Found], now_ms: int, *, records: bool) -> str:
    """Return a line a letter; with records, each below its letter."""
    headers = ("project", "id", "destination", "code", "given up", "size", "reason")
    rows = [
        (
            project_id,
            stored.id,
            stored.destination,
            stored.letter.code,
            ago(stored.time_ms, now_ms),
            size(stored.size_bytes),
            clean(stored.letter.reason, _REASON),
        )
        for project_id, stored in found
    ]
    if not records:
        return table(headers, rows, numbers=("size",), spare=("size", "project"))
    text = table(headers, rows, numbers=("size",), width=None)
    head, below = text.splitlines()[:2], text.splitlines()[2:]
    pairs = zip(below, (orjson.dumps(shown(stored)).decode() for _, stored in found), strict=True)
    return "\n".join([*head, *(line for pair in pairs for line in pair)])


def letter_text(project_id: str, stored: StoredLetter, now_ms: int) -> str:
    """Return everything about a letter."""
    letter = stored.letter
    fields = [
        ("Project", project_id),
        ("Destination", stored.destination),
        ("Code", letter.code),
        ("Given up", f"{moment(stored.time_ms)} ({ago(stored.time_ms, now_ms)})"),
        ("Reason", clean(letter.reason, 500)),
        ("Answer", clean(letter.response, 500) or "-"),
    ]
    head = "\n".join(f"  {name:<12} {value}" for name, value in fields)
    record = orjson.dumps(shown(stored), option=orjson.OPT_INDENT_2).decode()
    return f"Dead letter {stored.id}\n\n{head}\n\nRECORD\n\n{record}"


def redriven_text(step: RedriveStep, *, dry_run: bool) -> str:
    """Say what was sent again, and what was left and why."""
    verb = "can be sent again" if dry_run else "on the way to Mixpanel again"
    lines = [f"{plural(step.redriven, 'dead letter')} {verb}."]
    if step.needs_confirmation:
        lines.append(
            f"{plural(step.needs_confirmation, 'letter')} left: outcome_unknown. Each may have counted;"
            " --confirm-outcome-unknown sends them nevertheless, and then some may count twice."
        )
    if step.invalid:
        lines.append(f"{plural(step.invalid, 'letter')} left: they would be given up again, uncorrected:")
        lines += [f"  {fault.letter_id}  {fault.detail}" for fault in step.faults]
        lines.append("Correct one with: flask dead-letters redrive ID --edit")
    if step.full:
        lines.append("The outbox is full; run the same again once some of it has been delivered.")
    return "\n".join(lines)
