"""The lane `erasure`: carries each erasure from being asked for to its end, step by step.

    asked -> erasing -> draining -> compacting -> rewriting -> (deleting) -> completed -> forgotten

Each step is short and may be taken again after a crash; where it has to wait for somebody, the lane looks
again later. Until it drops the ids of the person, behind `draining`, they are in the erasure's own hash.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Final, cast

import orjson
from redis import Redis
from redis.exceptions import ResponseError
from structlog.stdlib import get_logger

from app.cohorts.changelog import ChangeLog
from app.cohorts.suppression import DIGEST_BYTES, SALT, digest_of
from app.destinations.dead_letters import DeadLetters
from app.destinations.identity.ledger import Ledger
from app.erasure.asked import DONE, Asked, note_done, read
from app.erasure.compacting import COMPACTED, Compacting
from app.erasure.erasures import every_id
from app.erasure.filing import Filing
from app.erasure.logged import named_in_log
from app.erasure.persistence import Kind, Persistence
from app.erasure.reading import ReadingShare
from app.lanes.lanes import HeldLane, Lanes
from app.lanes.outcome import Outcome
from app.lanes.work import APPLY, ERASURE, RESYNC, WEBHOOKS, lanes_of
from app.store import keys, scripts
from app.store.slices import slices
from config.projects import Project

log = get_logger(__name__)

LOOK_MS: Final = 1_000
SLOW_LOOK_MS: Final = 5_000
AFTER_DELETION_MS: Final = 2 * 3_600_000
"""How long Mixpanel may still name somebody whom it has deleted: it syncs every 30 minutes."""
_AT_ONCE: Final = 200
_LETTERS_AT_ONCE: Final = 500

Stored = Mapping[bytes, bytes]


class ErasureLane:
    """Takes the steps of a project's erasures.

    Args:
        redis, lanes, changelog, ledger, letters, filing: what it works with.
    """

    def __init__(
        self,
        redis: Redis,
        lanes: Lanes,
        changelog: ChangeLog,
        ledger: Ledger,
        *,
        letters: DeadLetters,
        filing: Filing,
    ) -> None:
        self._redis = redis
        self._lanes = lanes
        self._changelog = changelog
        self._ledger = ledger
        self._letters = letters
        self._filing = filing
        self._reading = ReadingShare(redis)
        self._compacting = Compacting(redis)
        self._persistence = Persistence(redis)
        self._wake = scripts.load(redis, "erasure/scripts/wake.lua")
        self._steps = {
            b"asked": self._resolve,
            b"erasing": self._gather,
            b"draining": self._drain,
            b"compacting": self._compact,
            b"rewriting": self._rewrite,
            b"deleting": self._follow,
            b"completed": self._forget,
        }

    def run(self, lane: HeldLane, project: Project, until: float) -> Outcome:
        """Take what steps are due.

        Args:
            lane: the project's erasure lane, held.
            project: whose.
            until: monotonic seconds.
        """
        while time.monotonic() < until:
            now_ms = self._now_ms()
            due = cast(
                "list[bytes]",
                self._redis.zrangebyscore(keys.erasures_due(project.id), "-inf", now_ms, start=0, num=1),
            )
            if not due:
                return Outcome.drained()
            number = int(due[0])
            wait_ms = self._step(lane, project, number)
            if wait_ms is not None:
                lane.write(keys.erasures_due(project.id), "ZADD", self._now_ms() + wait_ms, number)
            lane.keep()
        return Outcome.more()

    def _step(self, lane: HeldLane, project: Project, number: int) -> int | None:
        """Take a step; return in how many ms to look again, None where there is nothing left to look at."""
        stored = cast("Stored", self._redis.hgetall(keys.erasure(project.id, number)))
        if b"state" not in stored:
            lane.write(keys.erasures_open(project.id), "HDEL", number)
            lane.write(keys.erasures_due(project.id), "ZREM", number)
            return None
        return self._steps[stored[b"state"]](lane, project, number, stored)

    def _resolve(self, lane: HeldLane, project: Project, number: int, stored: Stored) -> int:
        """Find the person's other ids, and let nothing of theirs come in any more."""
        (asked_for,) = orjson.loads(stored[b"ids"])[:1]
        ids = every_id(self._ledger, project.id, asked_for)
        suppressed = keys.suppressed(project.id)
        salt = cast("bytes", self._redis.hget(suppressed, cast("str", SALT)))
        digests = [digest_of(salt, each) for each in ids]
        for some in slices(digests, _AT_ONCE):
            lane.write(suppressed, "HSET", *(part for digest in some for part in (digest, number)))
        self._note(lane, number, ids=orjson.dumps(ids), known=len(ids), digests=b"".join(digests).hex())
        self._move(lane, number, "erasing")
        log.info("erasure_begun", project_id=project.id, erasure=number, ids=len(ids))
        return 0

    def _gather(self, lane: HeldLane, project: Project, number: int, stored: Stored) -> int:
        """Wake the lanes that have a share in it; once all have done theirs, take out what is nobody's.

        The lane of subscriptions keeps nothing of anybody, and may have no worker.
        """
        del stored
        asked = read(self._redis, project.id, number)
        sharing = [kind.name for kind in lanes_of(project) if kind not in (ERASURE, WEBHOOKS)]
        missing = [name for name in sharing if name not in asked.done]
        if missing:
            self._note(lane, number, reason=f"waits for the lanes: {', '.join(missing)}")
            self._wake_up(project.id, missing)
            return LOOK_MS
        counts = {} if RESYNC.name in sharing else dict(self._reading.do(lane, asked))
        counts["dead_letters"] = self._letters_out(lane, asked)
        note_done(lane, asked, counts)
        # Once more: a lane that was at work yet may have told of the person behind the apply lane's look.
        named = named_in_log(self._redis, project.id, asked.person, lane.keep)
        newest = cast("list[tuple[bytes, object]]", self._redis.xrevrange(keys.inbox(project.id), count=1))
        inbox = newest[0][0] if newest else b""
        self._note(lane, number, sequences=orjson.dumps(named), inbox=inbox, reason="")
        self._move(lane, number, "draining")
        return 0

    def _letters_out(self, lane: HeldLane, asked: Asked) -> int:
        """Take out the dead letters about the person, or that name them anywhere."""
        person, found = asked.person, list[str]()
        for stored in self._letters.all(asked.project_id):
            letter = stored.letter
            if person.is_in(letter.record) or any(map(person.is_in_text, (letter.reason, letter.response))):
                found.append(stored.id)
            lane.keep()
        return sum(self._letters.erase(asked.project_id, some) for some in slices(found, _LETTERS_AT_ONCE))

    def _drain(self, lane: HeldLane, project: Project, number: int, stored: Stored) -> int:
        """Wait until what was there of pages and log entries has been read, and drop these entries."""
        wait_ms = self._filing.file(lane, project, number, stored, self._now_ms())
        waits = [self._pages_wait(project.id, stored), self._entries_wait(lane, project.id, number, stored)]
        if any(waits):
            self._note(lane, number, reason="; ".join(filter(None, waits)))
            return LOOK_MS if wait_ms else SLOW_LOOK_MS
        if wait_ms:
            self._note(lane, number, reason="the deletion is to be filed with Mixpanel")
            return wait_ms
        lane.write(keys.erasure(project.id, number), "HDEL", "ids", "sequences")
        self._note(lane, number, reason="")
        self._move(lane, number, "compacting")
        return 0

    def _compact(self, lane: HeldLane, project: Project, number: int, stored: Stored) -> int:
        """Have streams written anew, which keep the bytes of what was deleted."""
        if f"{DONE}{APPLY.name}{COMPACTED}".encode() not in stored:
            waits = self._compacting.held_up(project.id)
            self._note(lane, number, reason=waits or "the inbox and the log are written anew")
            self._wake_up(project.id, [APPLY.name])
            return SLOW_LOOK_MS if waits else LOOK_MS
        if not self._compacting.letters(lane):
            self._note(lane, number, reason="dead letters are written anew")
            return LOOK_MS
        self._note(lane, number, reason="")
        self._move(lane, number, "rewriting")
        return 0

    def _wake_up(self, project_id: str, names: Sequence[str]) -> None:
        wakes = self._wake(keys=[keys.lane(project_id, name) for name in names])
        for name, wake in zip(names, wakes, strict=True):
            self._lanes.enqueue(project_id, name, wake)

    def _pages_wait(self, project_id: str, stored: Stored) -> str:
        """Say whether pages wait that were accepted before."""
        first = cast("list[tuple[bytes, object]]", self._redis.xrange(keys.inbox(project_id), count=1))
        last = stored.get(b"inbox", b"")
        waits = bool(first and last) and _place(first[0][0]) <= _place(last)
        return "pages accepted before wait to be applied" if waits else ""

    def _entries_wait(self, lane: HeldLane, project_id: str, number: int, stored: Stored) -> str:
        """Drop the log entries whose readers have passed; say whether there are others."""
        sequences: list[int] = orjson.loads(stored.get(b"sequences", b"[]"))
        passed = self._changelog.passed(project_id) if sequences else 0
        behind = [each for each in sequences if each <= passed]
        for some in slices(behind, _AT_ONCE):
            lane.write(keys.log(project_id), "XDEL", *(f"{each}-0" for each in some))
        left = [each for each in sequences if each > passed]
        if behind:
            lane.write(keys.log_meta(project_id), "HINCRBY", "dropped", len(behind))
            self._note(lane, number, sequences=orjson.dumps(left))
        return f"{len(left)} log entries wait for their readers" if left else ""

    def _rewrite(self, lane: HeldLane, project: Project, number: int, stored: Stored) -> int:
        """Have Redis write its files anew, one kind after the other."""
        if b"kinds" not in stored:
            kinds = self._persistence.kinds()
            self._note(lane, number, kinds=",".join(kinds), todo=",".join(kinds), rewrite="")
            return 0
        todo = [kind for kind in stored[b"todo"].decode().split(",") if kind]
        if not todo:
            self._note(lane, number, persisted=stored[b"kinds"].decode() or "nothing", reason="")
            return self._after_rewriting(lane, project, number, stored)
        try:
            done, note = self._persistence.step(cast("Kind", todo[0]), stored[b"rewrite"].decode())
        except ResponseError:
            log.warning("erasure_not_rewritten", project_id=project.id, erasure=number, file=todo[0])
            self._note(lane, number, kinds="not_allowed", todo="", reason="")
            return 0
        if note and note.encode() != stored[b"rewrite"]:
            self._share_rewrite(lane, project.id, todo[0], note)
        reason = "" if done else f"Redis writes its {todo[0]} file anew"
        self._note(lane, number, rewrite=note, todo=",".join(todo[1:] if done else todo), reason=reason)
        return 0 if done else LOOK_MS

    def _share_rewrite(self, lane: HeldLane, project_id: str, kind: str, note: str) -> None:
        """Let what begins now count for the other erasures that wait for it: all of theirs is gone by now."""
        states = cast("Stored", self._redis.hgetall(keys.erasures_open(project_id)))
        for number in (int(each) for each, state in states.items() if state == b"rewriting"):
            todo = cast("bytes | None", self._redis.hget(keys.erasure(project_id, number), "todo"))
            if todo and todo.decode().split(",")[0] == kind:
                self._note(lane, number, rewrite=note)

    def _after_rewriting(self, lane: HeldLane, project: Project, number: int, stored: Stored) -> int:
        if stored.get(b"mixpanel") == b"filed":
            self._move(lane, number, "deleting")
            return 0
        return self._complete(lane, project, number)

    def _follow(self, lane: HeldLane, project: Project, number: int, stored: Stored) -> int:
        """Ask Mixpanel how its deletion stands."""
        wait_ms = self._filing.follow(lane, project, number, stored)
        if wait_ms:
            return wait_ms
        until_ms = max(int(stored[b"until_ms"]), self._now_ms() + AFTER_DELETION_MS)
        self._note(lane, number, until_ms=until_ms)
        return self._complete(lane, project, number)

    def _complete(self, lane: HeldLane, project: Project, number: int) -> int:
        self._note(lane, number, completed_ms=self._now_ms(), reason="")
        self._move(lane, number, "completed")
        log.info("erasure_completed", project_id=project.id, erasure=number)
        return 0

    def _forget(self, lane: HeldLane, project: Project, number: int, stored: Stored) -> int | None:
        """Once the time is up, let the person come again, as somebody new, if Mixpanel still names them."""
        left_ms = int(stored[b"until_ms"]) - self._now_ms()
        if left_ms > 0:
            return left_ms
        suppressed = keys.suppressed(project.id)
        digests = bytes.fromhex(stored.get(b"digests", b"").decode())
        each = [digests[at : at + DIGEST_BYTES] for at in range(0, len(digests), DIGEST_BYTES)]
        for digest in each:
            later = cast("bytes | None", self._redis.hget(suppressed, cast("str", digest)))
            if later == b"%d" % number:  # a later erasure of the same person has its own time
                lane.write(suppressed, "HDEL", digest)
        lane.write(keys.erasure(project.id, number), "HDEL", "digests")
        lane.write(keys.erasures_open(project.id), "HDEL", number)
        lane.write(keys.erasures_due(project.id), "ZREM", number)
        return None

    def _note(self, lane: HeldLane, number: int, **values: str | bytes | int) -> None:
        key = keys.erasure(lane.project_id, number)
        lane.write(key, "HSET", *(part for pair in values.items() for part in pair))

    def _move(self, lane: HeldLane, number: int, state: str) -> None:
        """Go on to the next state. The lanes look at the state among the open ones, so that comes last."""
        self._note(lane, number, state=state)
        lane.write(keys.erasures_open(lane.project_id), "HSET", number, state)

    def _now_ms(self) -> int:
        seconds, microseconds = self._redis.time()
        return seconds * 1000 + microseconds // 1000


def _place(entry_id: bytes) -> tuple[int, int]:
    time_ms, _, number = entry_id.partition(b"-")
    return int(time_ms), int(number or 0)
