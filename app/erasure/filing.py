"""File Mixpanel's own deletion of a person, and follow it to its end.

It is filed only once the relay has nothing left that it could still send: an update that came after it would
make the profile anew. Filed twice, after a crash, it is done once.
"""

import math
from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Final

import orjson
from structlog.stdlib import get_logger

from app.lanes.lanes import HeldLane
from app.mixpanel.deletions import ENDED, IDS_A_REQUEST, Deletions
from app.mixpanel.errors import CredentialRefused, Rejected, Retryable, Throttled, TooLarge
from app.mixpanel.retry import delay_s
from app.resync.asking import Asking
from app.store import keys
from app.store.slices import slices
from config.projects import Project

log = get_logger(__name__)

BETWEEN_MS: Final = 1_100
"""One request a second."""
MOST_TRIES: Final = 1_500
"""A try a minute in the end: about a day. Then the ids must not be kept any longer."""
FIRST_LOOK_MS: Final = 60_000
LOOK_MS: Final = 3_600_000
_FAST_LOOKS: Final = 10

Stored = Mapping[bytes, bytes]


class Filing:
    """Files deletions, and asks how they stand.

    Args:
        deletions: Mixpanel's.
        random: the jitter of waits.
        first_look_ms: how long to wait between the first looks.
    """

    def __init__(self, deletions: Deletions, random: Random, first_look_ms: int = FIRST_LOOK_MS) -> None:
        self._deletions = deletions
        self._random = random
        self._first_look_ms = first_look_ms
        self._asking = Asking()

    def file(self, lane: HeldLane, project: Project, number: int, stored: Stored, now_ms: int) -> int:
        """File the next 2,000 ids, if it is asked for; return in how many ms to come again, or 0."""
        if stored.get(b"mixpanel") != b"waiting":
            return 0
        wait_ms = int(stored.get(b"file_ms", 0)) - now_ms
        if wait_ms > 0:
            return wait_ms
        tasks: dict[str, str] = orjson.loads(stored.get(b"tasks", b"{}"))
        parts = list(slices(orjson.loads(stored[b"ids"]), IDS_A_REQUEST))
        if len(tasks) == len(parts):
            self._note(lane, number, mixpanel="filed", tries=0, mixpanel_reason="")
            return 0
        file = partial(self._deletions.file, project, parts[len(tasks)])
        try:
            tasks[self._asking.ask(lane, file)] = "PENDING"
        except (Retryable, Throttled) as error:
            return self._wait(lane, number, stored, error, now_ms)
        except (CredentialRefused, Rejected, TooLarge) as error:
            return self._fail(lane, number, str(error))
        log.info("deletion_filed", project_id=project.id, erasure=number, ids=len(parts[len(tasks) - 1]))
        filed = "filed" if len(tasks) == len(parts) else "waiting"
        told: dict[str, str | bytes | int] = {"mixpanel": filed, "tries": 0, "mixpanel_reason": ""}
        self._note(lane, number, tasks=orjson.dumps(tasks), file_ms=now_ms + BETWEEN_MS, **told)
        return BETWEEN_MS if filed == "waiting" else 0

    def follow(self, lane: HeldLane, project: Project, number: int, stored: Stored) -> int:
        """Ask how the tasks stand; return in how many ms to come again, 0 once all have ended."""
        tasks: dict[str, str] = orjson.loads(stored[b"tasks"])
        going = [task for task, state in tasks.items() if state not in ENDED]
        if not going:
            return self._end(lane, number, tasks)
        looks = int(stored.get(b"looks", 0)) + 1
        try:
            tasks[going[0]] = self._asking.ask(lane, partial(self._deletions.state, project, going[0]))
        except (Retryable, Throttled) as error:
            self._note(lane, number, reason=str(error), looks=looks)
            return max(1, math.ceil(delay_s(error, min(looks, 6), self._random) * 1000))
        except (CredentialRefused, Rejected, TooLarge) as error:
            self._note(lane, number, mixpanel_reason=f"how it stands cannot be asked: {error}", looks=looks)
            return LOOK_MS
        told = "Mixpanel is deleting the person"
        self._note(lane, number, tasks=orjson.dumps(tasks), looks=looks, reason=told, mixpanel_reason="")
        if tasks[going[0]] in ENDED:
            return BETWEEN_MS
        return self._first_look_ms if looks <= _FAST_LOOKS else LOOK_MS

    def _end(self, lane: HeldLane, number: int, tasks: Mapping[str, str]) -> int:
        failed = sorted({state for state in tasks.values() if state != "SUCCESS"})
        if failed:
            return self._fail(lane, number, f"Mixpanel says: {', '.join(failed)}")
        self._note(lane, number, mixpanel="completed", mixpanel_reason="")
        return 0

    def _wait(
        self, lane: HeldLane, number: int, stored: Stored, error: Retryable | Throttled, now_ms: int
    ) -> int:
        tries = int(stored.get(b"tries", 0)) + 1
        if tries > MOST_TRIES:
            return self._fail(lane, number, f"given up after {MOST_TRIES} tries: {error}")
        wait_ms = max(
            1, math.ceil(delay_s(error, tries, self._random) * 1000)
        )  # 0 would say that it is filed
        self._note(lane, number, tries=tries, file_ms=now_ms + wait_ms, mixpanel_reason=str(error))
        return wait_ms

    def _fail(self, lane: HeldLane, number: int, reason: str) -> int:
        log.warning("deletion_failed", project_id=lane.project_id, erasure=number, reason=reason)
        self._note(lane, number, mixpanel="failed", mixpanel_reason=reason)
        return 0

    def _note(self, lane: HeldLane, number: int, **values: str | bytes | int) -> None:
        key = keys.erasure(lane.project_id, number)
        lane.write(key, "HSET", *(part for pair in values.items() for part in pair))
