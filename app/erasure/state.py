"""An erasure as it stands."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, cast, get_args

import orjson

from app.erasure.asked import DONE

State = Literal["asked", "erasing", "draining", "compacting", "rewriting", "deleting", "completed"]
STATES: Final[tuple[State, ...]] = get_args(State)

MixpanelState = Literal["not_asked", "waiting", "filed", "completed", "failed"]
MIXPANEL_STATES: Final[tuple[MixpanelState, ...]] = get_args(MixpanelState)


@dataclass(frozen=True, slots=True)
class Deletion:
    """What becomes of the person in Mixpanel.

    Attributes:
        state: `not_asked`; `waiting` to be filed; `filed`; `completed`; `failed`.
        tasks: Mixpanel's ids of what was filed, with its own words for how each stands.
        reason: why it failed, or is not filed yet.
    """

    state: MixpanelState = "not_asked"
    tasks: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ErasureState:
    """An erasure as it stands; times in ms since 1970, 0 for not yet.

    Attributes:
        id: names it among all projects'.
        project_id: what it is about.
        state: `asked`; `erasing`: the lanes take the person out; `draining`: pages and log entries that are
            there wait for their readers; `compacting`: streams are written anew; `rewriting`: Redis writes
            its files anew; `deleting`: Mixpanel is at it; `completed`.
        reason: what it waits for.
        asked_by: a token's id, or the command line.
        asked_ms, completed_ms: when.
        ids: how many distinct_ids the person has, as far as the relay knew.
        counts: what was taken out, by name.
        persisted: what was rewritten on disk: `aof`, `rdb`, both, `nothing`; empty before.
        suppressed_until_ms: until when whatever still names the person is left out, at least.
        mixpanel: what becomes of the person there.
    """

    id: str
    project_id: str
    state: State
    reason: str
    asked_by: str
    asked_ms: int
    completed_ms: int
    ids: int
    counts: Mapping[str, int]
    persisted: str
    suppressed_until_ms: int
    mixpanel: Deletion

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do but to leave out who still comes."""
        return self.state == "completed"


def id_of(project_id: str, number: int) -> str:
    """Return the id that names an erasure among all projects'."""
    return f"{project_id}-{number}"


def state_of(project_id: str, number: int, stored: Mapping[bytes, bytes]) -> ErasureState:
    """Read an erasure's hash."""
    text = {name.decode(): value.decode() for name, value in stored.items()}
    counts = Counter[str]()
    for name, value in text.items():
        if name.startswith(DONE):
            counts.update(orjson.loads(value))
    return ErasureState(
        id=id_of(project_id, number),
        project_id=project_id,
        state=cast("State", text["state"]),
        reason=text.get("reason", ""),
        asked_by=text.get("asked_by", ""),
        asked_ms=int(text["asked_ms"]),
        completed_ms=int(text.get("completed_ms", 0)),
        ids=int(text.get("known", 1)),
        counts=dict(sorted(counts.items())),
        persisted=text.get("persisted", ""),
        suppressed_until_ms=int(text["until_ms"]),
        mixpanel=Deletion(
            cast("MixpanelState", text.get("mixpanel", "not_asked")),
            orjson.loads(text.get("tasks", "{}")),
            text.get("mixpanel_reason", ""),
        ),
    )
