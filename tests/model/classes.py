"""The classes of stories whose error rates the specification of epochs states, with the stated rates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

from tests.model.chance import World
from tests.model.story import Habits


@dataclass(frozen=True, slots=True)
class Class:
    """A named class: what its stories are made of, and which share may end wrong (None: not stated)."""

    name: str
    worlds: tuple[World, ...]
    stated: float | None
    note: str = ""


_TEN = World()
_SIXTY = World(users=60, page_size=8)
_FOUR_HUNDRED = World(users=400, churn=0.05, page_size=20, syncs=15, failing=0.1)
_CONSTANT_BARE = Habits(constant_id=True, empty_calls=False)
_EXPIRING = Habits(expired_as_add=True)


def _conventions() -> tuple[World, ...]:
    """Every combination of habits that a sender which never fails can show."""
    names = ("empty_calls", "across", "two_ids", "remove_first", "parallel", "zero_total", "first_as_add")
    return tuple(
        World(failing=0.0, warm=False, copied=0.1, habits=Habits(**dict(zip(names, values, strict=True))))
        for values in product((False, True), repeat=len(names))
    )


CLASSES: tuple[Class, ...] = (
    Class("documented", (_TEN,), 0.0, "30 % failed, no answer of a last page lost"),
    Class(
        "documented-restarts", (replace(_TEN, restarts=0.5, copied=0.1),), None, "begun again within minutes"
    ),
    Class("no-failures", _conventions(), 0.0015, "every combination of conventions, from a cold start"),
    Class("no-empty-calls-no-failures", (World(failing=0.0, habits=Habits(empty_calls=False)),), 0.0),
    Class("no-empty-calls", (replace(_TEN, habits=Habits(empty_calls=False)),), 0.025),
    Class("across", (replace(_TEN, habits=Habits(across=True)),), 0.0),
    Class("reused-id", (replace(_TEN, habits=Habits(reuses_id=True)),), 0.002),
    Class("reused-id-restarts", (replace(_TEN, restarts=0.5, habits=Habits(reuses_id=True)),), 0.002),
    Class("reused-id-lost", (replace(_TEN, lost="any", habits=Habits(reuses_id=True)),), 0.012),
    Class("lost", (replace(_TEN, lost="any"),), 0.014),
    Class(
        "lost-half", (replace(_TEN, lost="any", lost_share=0.5),), None, "half of the failing pages arrived"
    ),
    Class(
        "lost-last", (replace(_TEN, lost="last"),), None, "in a third of the failing syncs everything arrived"
    ),
    Class("lost-60", (replace(_SIXTY, lost="any"),), 0.0025),
    Class("lost-400", (replace(_FOUR_HUNDRED, failing=0.3, lost="any"),), 0.0),
    Class("expired-as-add", (replace(_TEN, gaps=0.3, habits=_EXPIRING),), 0.05),
    Class("expired-as-add-60", (replace(_SIXTY, gaps=0.3, habits=_EXPIRING),), 0.0005),
    Class("documented-400", (_FOUR_HUNDRED,), 0.0, "10 % failed, 15 syncs"),
    Class("lost-last-400", (replace(_FOUR_HUNDRED, lost="last"),), 0.0, "10 % failed, 15 syncs"),
    Class("cold", (replace(_TEN, warm=False),), 0.008, "nothing learned"),
    Class("cold-400", (replace(_FOUR_HUNDRED, failing=0.3, warm=False),), 0.0, "nothing learned"),
    Class("outages", (World(failing=0.95, syncs=60),), None, "95 % failed: streaks of 20 and more in a row"),
    Class("outages-400", (replace(_FOUR_HUNDRED, failing=0.98, syncs=80),), None, "98 % failed, 80 syncs"),
    Class("refreshes", (replace(_TEN, refreshes=0.2),), None),
    Class("expired", (replace(_TEN, gaps=0.3),), None, "answered by `members`, as documented"),
    Class("two-ids", (replace(_TEN, habits=Habits(two_ids=True)),), None),
    Class("remove-first", (replace(_TEN, habits=Habits(remove_first=True)),), None),
    Class("reused-id-refreshes", (replace(_TEN, refreshes=0.2, habits=Habits(reuses_id=True)),), None),
    Class("reused-id-parallel", (replace(_TEN, habits=Habits(reuses_id=True, parallel=True)),), None),
    Class(
        "constant-id-no-failures",
        (World(failing=0.0, habits=Habits(constant_id=True)), World(failing=0.0, habits=_CONSTANT_BARE)),
        None,
        "one session id for ever, with and without empty calls",
    ),
    Class("constant-id", (replace(_TEN, habits=Habits(constant_id=True)),), None, "one session id for ever"),
    Class("parallel", (replace(_TEN, copied=0.1, habits=Habits(parallel=True)),), None),
    Class(
        "late", (replace(_TEN, late=0.3, restarts=0.5),), None, "failed pages arrive during the next export"
    ),
    Class(
        "everything",
        (replace(_TEN, lost="any", late=0.1, restarts=0.3, copied=0.1, gaps=0.05, refreshes=0.05),),
        None,
        "lost, late, restarted, copied, expired",
    ),
)
