"""Answers that were asked for lately, kept in Redis for everybody who asks the same.

They are compressed, cut into pieces that no command takes long over, bounded in bytes for each project, and
gone by themselves when their time is over. What cannot be kept is not: a full Redis costs a query, no answer.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import uuid4

import orjson
from redis import Redis, RedisError

from app.store import keys
from app.store.scripts import load

MOST_BYTES: Final = 64 * 1024 * 1024
MOST_ANSWERS: Final = 1_000
PIECE_BYTES: Final = 256 * 1024
LARGEST_SHARE: Final = 4
"""An answer may take up to a quarter of a project's room: one must not drive out all others."""
_LEVEL: Final = 1
_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is kept.

    Attributes:
        status: HTTP status.
        content_type: Of the body.
        body: Unpacked.
        asked_us: Redis's time when it was asked for, in microseconds.
        age_s: How long ago that is.
    """

    status: int
    content_type: str
    body: bytes = field(repr=False)
    asked_us: int
    age_s: float = 0.0


class AnswerCache:
    """Keep answers, a project's apart from all others'.

    Args:
        redis: Where.
        most_bytes: Most compressed bytes kept for a project.
        most_answers: Most answers kept for a project.
    """

    def __init__(
        self, redis: Redis, *, most_bytes: int = MOST_BYTES, most_answers: int = MOST_ANSWERS
    ) -> None:
        self._redis = redis
        self._reserve = load(redis, "mixpanel/calling/scripts/reserve.lua")
        self._most_bytes = most_bytes
        self._most_answers = most_answers

    def get(self, project_id: str, digest: str) -> Kept | None:
        """Return a kept answer; None where there is none, or not all of it."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.get(keys.api_answer(project_id, digest))
        pipeline.time()
        head, (seconds, micros) = pipeline.execute()
        if head is None:
            return None
        facts, _, first = cast("bytes", head).partition(b"\n")
        said: dict[str, Any] = orjson.loads(facts)
        pieces = [first]
        for number in range(1, said["pieces"]):
            piece = self._redis.get(keys.api_answer_piece(project_id, said["version"], number))
            if piece is None:
                return None
            pieces.append(cast("bytes", piece))
        age_s = max(0.0, seconds + micros / _US - said["asked_us"] / _US)
        body = zlib.decompress(b"".join(pieces))
        return Kept(said["status"], said["type"], body, said["asked_us"], age_s)

    def put(self, project_id: str, digest: str, kept: Kept, lifetime_s: float) -> bool:
        """Keep an answer; False where it is too large, or Redis does not take it."""
        packed = zlib.compress(kept.body, _LEVEL)
        if len(packed) > self._most_bytes // LARGEST_SHARE:
            return False
        pieces = [packed[at : at + PIECE_BYTES] for at in range(0, len(packed), PIECE_BYTES)]
        try:
            self._write(project_id, digest, kept, pieces, round(lifetime_s * 1000))
        except RedisError:
            return False
        return True

    def forget(self, project_id: str) -> int:
        """Drop everything that is kept for a project; return how many answers that were."""
        members = cast("list[bytes]", self._redis.zrange(keys.api_answers(project_id), 0, -1))
        self._unlink(project_id, members)
        self._redis.unlink(keys.api_answers(project_id))
        return len(members)

    def _write(self, project_id: str, digest: str, kept: Kept, pieces: list[bytes], lifetime_ms: int) -> None:
        version, size = uuid4().hex, sum(map(len, pieces))
        seconds, micros = self._redis.time()
        now_ms = seconds * 1000 + micros // 1000
        going = self._reserve(
            keys=[keys.api_answers(project_id)],
            args=[
                f"{digest}:{version}:{len(pieces)}:{size}",
                digest,
                size,
                self._most_bytes,
                self._most_answers,
                now_ms + lifetime_ms,
                now_ms,
            ],
        )
        self._unlink(project_id, going)
        for number, piece in enumerate(pieces[1:], 1):
            self._redis.set(keys.api_answer_piece(project_id, version, number), piece, px=lifetime_ms)
        facts = {
            "version": version,
            "pieces": len(pieces),
            "status": kept.status,
            "type": kept.content_type,
            "asked_us": kept.asked_us,
        }
        head = orjson.dumps(facts) + b"\n" + pieces[0]
        self._redis.set(keys.api_answer(project_id, digest), head, px=lifetime_ms)

    def _unlink(self, project_id: str, members: Iterable[bytes]) -> None:
        """Take the keys of answers away, an answer at a time."""
        for member in members:
            digest, version, pieces, _ = member.decode().split(":")
            names = [keys.api_answer_piece(project_id, version, number) for number in range(1, int(pieces))]
            self._redis.unlink(keys.api_answer(project_id, digest), *names)
