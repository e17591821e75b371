"""How resyncs are shown: in a line, in full, and while they go on."""

import time
from dataclasses import asdict
from typing import Any, Final

import click

from app.cli.formatting import clean, duration, moment, number, plural
from app.cli.progress import progress
from app.resync.estimate import remaining_s
from app.resync.state import ResyncState
from app.services import Services

LEFT: Final = 3
"""Exit status: something that was asked for is left undone."""
LOOK_S: Final = 0.5


def told(state: ResyncState) -> dict[str, Any]:
    """Return a resync for programs."""
    return asdict(state)


def counted(state: ResyncState) -> str:
    """Write what a resync came to."""
    return ", ".join(f"{number(count)} {name.replace('_', ' ')}" for name, count in state.counts.items())


def summary(state: ResyncState) -> str:
    """Write a resync in a line, and the sample of one that only looked."""
    kind = f"{state.mode}{' (dry run)' if state.dry_run else ''}"
    reason = f": {clean(state.reason, 200)}" if state.reason else ""
    line = f"{state.id}  cohort {state.cohort_id}  {kind}  {state.state}{reason}  {counted(state)}".rstrip()
    sample = (
        f"  {name}: {', '.join(clean(each) for each in ids)}" for name, ids in state.sample.items() if ids
    )
    return "\n".join((line, *sample))


def detail(services: Services, state: ResyncState) -> str:
    """Write everything about a resync."""
    left_s = remaining_s(services.query, state)
    rows = [
        ("Cohort", f"{state.cohort_id} of project {state.project_id}"),
        ("Mode", f"{state.mode}{', dry run' if state.dry_run else ''}"),
        ("State", f"{state.state}{', asked to stop' if state.cancelling else ''}"),
        ("Reason", clean(state.reason, 200) or "-"),
        ("Asked", f"{moment(state.asked_ms)} by {clean(state.asked_by) or '-'}"),
        ("Began", moment(state.began_ms)),
        ("Ended", moment(state.ended_ms)),
        ("Members", number(state.members)),
        ("Read", f"{number(state.read)} of {number(state.expected)} in {plural(state.pages, 'page')}"),
        ("Left", f"{duration(left_s)} of reading at least" if left_s else "-"),
        ("Came to", counted(state) or "-"),
    ]
    sample = [(f"e.g. {name}", ", ".join(map(clean, ids))) for name, ids in state.sample.items() if ids]
    return "\n".join(f"  {name:<12} {value}" for name, value in (*rows, *sample))


def wait_for(services: Services, state: ResyncState, *, hidden: bool) -> ResyncState:
    """Show how far a resync is until it has ended; who breaks off only stops looking."""
    try:
        for label, states in (("Counting", {"asked", "counted"}), ("Reading", {"reading", "read"})):
            state = _while(services, state, label, states, hidden=hidden)
        return _while(services, state, state.mode.capitalize(), {"applying", "failing"}, hidden=hidden)
    except KeyboardInterrupt:
        click.echo(f"It goes on: flask resyncs show {state.id}, flask resyncs cancel {state.id}", err=True)
        raise


def _while(
    services: Services, state: ResyncState, label: str, states: set[str], *, hidden: bool
) -> ResyncState:
    """Show a bar as long as the resync is in one of these states."""
    if state.state not in states:
        return state
    total = _total(state)
    with progress(f"{label} cohort {state.cohort_id}", total, hidden=hidden) as advance:
        before = 0
        while True:
            done = min(
                _done(state), total
            )  # which is not known while Mixpanel has not said how many there are
            advance(done - before)
            before = done
            if state.state not in states:
                return state
            time.sleep(LOOK_S)
            state = services.resyncs.get(state.id) or state


def _total(state: ResyncState) -> int:
    return max(1, state.expected, state.members)


def _done(state: ResyncState) -> int:
    return state.read if state.mode == "reconcile" else state.counts.get("replayed", 0)
