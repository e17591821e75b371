"""That a person holds a whole project: what it means while it lasts, and how it ends."""

from collections.abc import Iterator
from typing import Final

from app.destinations.held import ProjectHeld
from app.status.checks import Check

TOO_LONG_S: Final = 48 * 3_600.0
"""Mixpanel sends a full sync after three days without success: until then it knows what was missed."""


def held_checks(project_id: str, held: ProjectHeld, now_ms: int) -> Iterator[Check]:
    """Tell that a project is paused, or takes nothing in, and how it goes on."""
    if held.paused:
        found = f"{held.paused.sentence}; nothing is sent to Mixpanel or asked there"
        yield Check("paused", "warn", found, f"when it may go on: {_how('resume', project_id)}", project_id)
    if held.closed:
        found = f"{held.closed.sentence}; Mixpanel and services are answered 503"
        long = now_ms - held.closed.since_ms > TOO_LONG_S * 1000
        advice = f"when it may go on: {_how('accept', project_id)}"
        if long:
            advice += "; after three days Mixpanel sends full lists"
        yield Check("accepting", "fail" if long else "warn", found, advice, project_id)


def _how(command: str, project_id: str) -> str:
    return f"flask projects {command} --project {project_id}"
