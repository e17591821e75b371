"""How the webhook subscriptions of each project stand, read at once for all of them."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast, get_args

from redis import Redis

from app.services import Services
from app.status.checks import Check
from app.store import keys
from app.subscriptions.subscription import Standing, State, place_of
from app.subscriptions.turns import waiting_turns

STATES: Final[tuple[State, ...]] = get_args(State)
FAILING_S: Final = 3_600.0
"""A receiver that takes nothing for so long is more than restarted."""
FAR_BEHIND: Final = 0.5
"""Share of what the log keeps for a subscription, from which on a person should know."""
_NAMED: Final = 20

Standings = Sequence[tuple[str, Standing]]
"""(id of a subscription, where it stands in a project)."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A subscription that is not sent to as it should be."""

    id: str
    state: State
    why: str
    by: str
    since_ms: int | None


@dataclass(frozen=True, slots=True)
class Subscribers:
    """The subscriptions of a project.

    Attributes:
        states: how many are in each state.
        troubles: those that fail, or that the relay has paused; the first 20, by their ids.
        behind: log entries of which that one was not told that is furthest behind, of those that are not
            paused.
        lag_s: age of the oldest of these.
        furthest: id of whoever stands furthest behind, paused ones among them.
        furthest_behind: by how many entries.
        keeps: by how many it may be, before entries go.
        waiting: turns that have come and that no thread has begun.
        counts: messages `taken`, tries that `failed`, `gaps` told, entries `lost`; also of those deleted.
    """

    states: Mapping[State, int] = field(default_factory=dict)
    troubles: Sequence[Trouble] = ()
    behind: int = 0
    lag_s: float = 0.0
    furthest: str = ""
    furthest_behind: int = 0
    keeps: int = 0
    waiting: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Say whether there are any."""
        return bool(self.states)


def read_subscribers(services: Services, project_ids: Iterable[str]) -> dict[str, Subscribers]:
    """Read how they stand, by project.

    Cost: one command and 100 bytes a subscription and project.
    """
    found: dict[str, list[tuple[str, Standing]]] = {each: [] for each in project_ids}
    for seen in services.desk.all():
        for project_id, standing in seen.standings.items():
            if project_id in found:
                found[project_id].append((seen.wanted.id, standing))
    return {project_id: _of(services, project_id, standings) for project_id, standings in found.items()}


def subscriber_checks(project_id: str, subscribers: Subscribers, now_ms: int) -> Iterator[Check]:
    """Tell of each that the relay has paused, that fails for long, or that soon will miss something."""
    for each in subscribers.troubles:
        advice = f"correct the receiver; see flask subscriptions show {each.id}"
        if each.state == "paused":
            found = f"{each.id} was paused by the relay: {each.why}"
            yield Check("subscription", "warn", found, f"{advice}, then resume it", project_id)
        elif each.since_ms and now_ms - each.since_ms >= FAILING_S * 1000:
            hours = (now_ms - each.since_ms) / 3_600_000
            found = f"{each.id} has taken nothing for {hours:,.1f} hours: {each.why}"
            yield Check("subscription", "warn", found, advice, project_id)
    if subscribers.keeps and subscribers.furthest_behind >= FAR_BEHIND * subscribers.keeps:
        found = (
            f"{subscribers.furthest} is {subscribers.furthest_behind:,} log entries behind, of"
            f" {subscribers.keeps:,} at the most that are kept for it"
        )
        advice = f"resume or delete it; see flask subscriptions show {subscribers.furthest}"
        yield Check("subscription", "warn", found, advice, project_id)


def _of(services: Services, project_id: str, standings: Standings) -> Subscribers:
    redis = services.redis
    counts = cast("dict[bytes, bytes]", redis.hgetall(keys.subscription_counts(project_id)))
    counted = {name.decode(): int(value) for name, value in counts.items()}
    if not standings:
        return Subscribers(counts=counted)
    end = services.changelog.end(project_id)
    open_ones = [(place_of(each.position), name) for name, each in standings if each.state != "ended"]
    running = [place_of(each.position) for _, each in standings if each.state in ("active", "failing")]
    place, furthest = min(open_ones, default=(end, ""))
    lowest = min(running, default=end)
    return Subscribers(
        states=Counter(each.state for _, each in standings),
        troubles=_troubles(standings),
        behind=max(0, end - lowest),
        lag_s=_age_s(redis, project_id, lowest) if lowest < end else 0.0,
        furthest=furthest,
        furthest_behind=max(0, end - place),
        keeps=services.settings.log_hold_entries,
        waiting=waiting_turns(redis, project_id, end),
        counts=counted,
    )


def _troubles(standings: Standings) -> list[Trouble]:
    found = [
        Trouble(name, each.state, each.why, each.by, each.since_ms)
        for name, each in sorted(standings, key=lambda pair: pair[0])
        if each.state == "failing" or (each.state == "paused" and each.by == "relay")
    ]
    return found[:_NAMED]


def _age_s(redis: Redis, project_id: str, place: int) -> float:
    """Return the age of the first entry behind a place."""
    found = cast(
        "list[tuple[bytes, dict[bytes, bytes]]]",
        redis.xrange(keys.log(project_id), f"{place + 1}-0", "+", count=1),
    )
    written_ms = int(found[0][1].get(b"written_ms", 0)) if found else 0
    seconds, micros = redis.time()
    return max(0.0, seconds + micros / 1e6 - written_ms / 1000) if written_ms else 0.0
