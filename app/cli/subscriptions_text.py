"""How `flask subscriptions` writes what it found, for people."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from app.cli.formatting import ago, clean, moment, number, table
from app.subscriptions.deliveries import Noted
from app.subscriptions.desk import Seen
from app.subscriptions.subscription import Standing

_LONGEST_URL: Final = 200
_COUNTS: Final = ("behind", "taken", "failed tries", "lost")


def subscriptions_table(
    found: Sequence[Seen], told: Sequence[dict[str, Any]], now_ms: int, project_id: str | None = None
) -> str:
    """Return a line for each subscription and project.

    Args:
        found: the subscriptions.
        told: the same, as they are told as JSON.
        now_ms: the time.
        project_id: only lines of this project.
    """
    rows = [
        (seen.wanted.id, each_id, clean(seen.wanted.url), *_stands(standing, behind, now_ms))
        for seen, each in zip(found, told, strict=True)
        for each_id, standing, behind in _projects(seen, each)
        if project_id in (None, each_id)
    ]
    headers = ("id", "project", "to", "state", *_COUNTS, "last taken")
    return table(headers, rows, numbers=_COUNTS, spare=("project", "last taken", "taken", "lost"))


def fields_text(seen: Seen, told: dict[str, Any]) -> str:
    """Return what one wants, and how it stands in each of its projects."""
    lines = [(name, value) for name, value in _fields(seen, told) if value]
    for project_id, standing, behind in _projects(seen, told):
        lines.append((f"project {project_id}", ", ".join(_words(standing, behind))))
    width = max(len(name) for name, _ in lines) + 2
    return "\n".join(f"{name:<{width}}{value}" for name, value in lines)


def deliveries_table(found: Sequence[Noted]) -> str:
    """Return a line a request."""
    rows = [
        (
            moment(noted.time_ms),
            noted.delivery.event_id,
            noted.delivery.type.partition(".")[2],
            str(noted.delivery.tries),
            noted.delivery.reason,
            number(noted.delivery.ms),
        )
        for noted in found
    ]
    return table(("time", "event", "type", "try", "", "ms"), rows, numbers=("try", "ms"))


def _fields(seen: Seen, told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    wanted = seen.wanted
    yield "id", wanted.id
    yield "to", clean(wanted.url, _LONGEST_URL)
    yield "description", clean(wanted.description, _LONGEST_URL)
    yield "types", ", ".join(each.partition(".")[2] for each in told["types"]) or "all"
    yield "cohorts", ", ".join(clean(each) for each in wanted.cohorts) or "all"
    yield "batch", f"{number(wanted.batch)} members"
    yield "rate", f"{wanted.rate:g} messages a second" if wanted.rate else "no limit"
    yield "secrets", str(told["secrets"])
    yield "made", moment(wanted.created_ms)


def _projects(seen: Seen, told: dict[str, Any]) -> Iterator[tuple[str, Standing, int]]:
    behind = {each["project_id"]: int(each["behind"]) for each in told["projects"]}
    for project_id, standing in seen.standings.items():
        yield project_id, standing, behind[project_id]


def _stands(standing: Standing, behind: int, now_ms: int) -> tuple[str, ...]:
    state = f"{standing.state} for {ago(standing.since_ms, now_ms).removesuffix(' ago')}"
    return (
        state if standing.since_ms else standing.state,
        number(behind),
        number(standing.taken),
        number(standing.failed),
        number(standing.lost),
        ago(standing.taken_ms, now_ms),
    )


def _words(standing: Standing, behind: int) -> Iterator[str]:
    yield standing.state + (f" by {clean(standing.by)}" if standing.by else "")
    if standing.since_ms:
        yield f"since {moment(standing.since_ms)}"
    if standing.why:
        yield clean(standing.why, _LONGEST_URL)
    if standing.tries:
        yield f"tried {standing.tries} times"
    yield f"behind {standing.position}" + (f", {number(behind)} entries not told" if behind else "")
    yield f"{number(standing.taken)} messages taken, the last {moment(standing.taken_ms)}"
    yield f"{number(standing.failed)} tries failed"
    if standing.lost:
        yield f"{number(standing.lost)} entries were gone"
