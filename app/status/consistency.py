"""Whether what is stored of a project fits together: after a restore, a move, or a loss.

Read with commands of constant cost, so it may be done at any time. What a worker changes at that moment is
looked at again.
"""

from collections.abc import Callable, Iterator
from typing import Final, cast

from redis import Redis, ResponseError

from app.lanes.work import LANES, OUTBOX_LANES
from app.status.checks import Check
from app.store import keys
from app.store.slices import slices

LOOKS: Final = 5
BUCKETS_AT_ONCE: Final = 500
NAMED: Final = 5
_RESTORE: Final = "a part of the state is lost: restore a backup, or reconcile (docs/installation.md)"


def consistency(redis: Redis, project_id: str) -> Iterator[Check]:
    """Check the inbox, the log and its readers, the outboxes, and the cohorts' members."""
    if not redis.exists(keys.inbox_meta(project_id), keys.log_meta(project_id)):
        advice = "if pages of it have ever come, REDIS_URL names another Redis, or one that lost all"
        yield Check("state", "warn", "nothing of it is stored", advice, project_id)
    yield _settled(lambda: _inbox(redis, project_id))
    yield _settled(lambda: _log(redis, project_id))
    for lane in OUTBOX_LANES.values():
        assert lane.outbox
        name = lane.outbox
        stream, meta = keys.outbox(project_id, name), keys.outbox_meta(project_id, name)
        cursors = (lane.name,)
        yield _settled(
            lambda name=name, stream=stream, meta=meta, cursors=cursors: _sequence(  # type: ignore[misc]
                redis, project_id, (f"outbox {name}", stream, meta), cursors
            )
        )
    yield from _cohorts(redis, project_id)


def _settled(look: Callable[[], Check]) -> Check:
    """Look again where something is wrong: a worker may be between two of its steps."""
    for _ in range(LOOKS - 1):
        found = look()
        if found.ok:
            return found
    return look()


def _inbox(redis: Redis, project_id: str) -> Check:
    pipeline = redis.pipeline()
    pipeline.xlen(keys.inbox(project_id))
    pipeline.hlen(keys.inbox_waiting(project_id))
    pages, known = pipeline.execute()
    if pages == known:
        return Check("inbox", "ok", f"{pages:,} pages wait, as noted", project_id=project_id)
    return Check("inbox", "fail", f"{pages:,} pages wait, {known:,} are noted", _RESTORE, project_id)


def _log(redis: Redis, project_id: str) -> Check:
    readers = tuple(kind.name for kind in LANES.values() if kind.source == "log")
    place = ("change log", keys.log(project_id), keys.log_meta(project_id))
    return _sequence(redis, project_id, place, readers)


def _sequence(redis: Redis, project_id: str, place: tuple[str, str, str], readers: tuple[str, ...]) -> Check:
    """Check that a stream ends where its hash says, and has what its readers have not read yet.

    Args:
        redis: where.
        project_id: whose.
        place: what it is called, the stream, its hash.
        readers: names of the destinations that read it, if they are there.
    """
    name, stream, meta = place
    pipeline = redis.pipeline()
    pipeline.hget(meta, "sequence")
    for reader in readers:
        pipeline.hget(keys.destination(project_id, reader), "cursor")
    pipeline.xrange(stream, count=1)
    pipeline.xinfo_stream(stream)
    sequence, *cursors, first, info = pipeline.execute(raise_on_error=False)
    end, last = int(sequence or 0), 0
    if not isinstance(info, ResponseError):  # there is no such stream
        last = int(cast("bytes", info["last-generated-id"]).split(b"-")[0])
    read = [int(cursor) for cursor in cursors if cursor is not None] or [0]
    oldest = int(first[0][0].split(b"-")[0]) if first else end + 1
    wrong = ""
    if last != end:
        wrong = f"{end:,} entries were written, and it ends with {last:,}"
    elif max(read) > end:
        wrong = f"it ends with {end:,}, and a destination has read {max(read):,}"
    elif oldest > min(read) + 1:
        wrong = f"{min(read) + 1:,} to {oldest - 1:,} are missing, which a destination has not read"
    if wrong:
        return Check(name, "fail", wrong, _RESTORE, project_id)
    return Check(name, "ok", f"ends with {end:,}, {end - min(read):,} to be read", project_id=project_id)


def _cohorts(redis: Redis, project_id: str) -> Iterator[Check]:
    ids = sorted(each.decode() for each in cast("set[bytes]", redis.smembers(keys.cohorts(project_id))))
    wrong = [cohort_id for cohort_id in ids if not _whole(redis, project_id, cohort_id)]
    if wrong:
        named = ", ".join(wrong[:NAMED]) + (f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else "")
        found = f"has not as many members as are noted: cohort {named}"
        yield Check("cohorts", "fail", found, _RESTORE, project_id)
    else:
        yield Check("cohorts", "ok", f"{len(ids):,}, each with all its members", project_id=project_id)


def _whole(redis: Redis, project_id: str, cohort_id: str) -> bool:
    """Say whether the buckets of a cohort hold as many entries as its hash says."""
    for _ in range(LOOKS):
        step, buckets, entries = _noted(redis, project_id, cohort_id)
        found = 0
        for some in slices(range(buckets), BUCKETS_AT_ONCE):
            pipeline = redis.pipeline(transaction=False)
            for number in some:
                pipeline.hlen(keys.bucket(project_id, cohort_id, number))
            found += sum(cast("list[int]", pipeline.execute()))
        if found == entries and buckets:
            return True
        if _noted(redis, project_id, cohort_id)[0] == step:
            return False
    return True  # it changes all the time; then it is at work


def _noted(redis: Redis, project_id: str, cohort_id: str) -> tuple[int, int, int]:
    noted = redis.hmget(keys.cohort(project_id, cohort_id), ("step", "buckets", "entries"))
    step, buckets, entries = (int(cast("bytes | None", each) or 0) for each in noted)
    return step, buckets, entries
