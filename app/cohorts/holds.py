"""Full lists that are held because they remove many: look at them, confirm or refuse them."""

from typing import Literal, cast

import orjson
from redis import Redis

from app.lanes.lanes import Lanes
from app.lanes.work import APPLY
from app.store import keys, scripts

Word = Literal["confirm", "refuse"]


class Holds:
    """Passes on what a person says about held lists; the apply lane does it."""

    def __init__(self, redis: Redis, lanes: Lanes) -> None:
        self._lanes = lanes
        self._say = scripts.load(redis, "cohorts/scripts/say.lua")

    def say(self, project_id: str, cohort_id: str, hold: int, word: Word) -> bool:
        """Confirm or refuse a held list; of two words, the later holds.

        Args:
            project_id: whose.
            cohort_id: which.
            hold: the list's number, so that nobody confirms one that they have not seen.
            word: what is to be done.

        Returns:
            False where that list is not held (any more): nothing was passed on.
        """
        names = [
            keys.cohort(project_id, cohort_id),
            keys.holds_answered(project_id),
            keys.due(project_id),
            keys.lane(project_id, APPLY.name),
        ]
        taken, wake = cast(
            "list[int]", self._say(keys=names, args=[cohort_id, hold, orjson.dumps([hold, word])])
        )
        self._lanes.enqueue(project_id, APPLY.name, wake)
        return bool(taken)
