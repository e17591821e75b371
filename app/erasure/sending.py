"""The shares of the lanes that send: outboxes, waiting rooms, what an open window's plan rests on.

What is left of an outbox's entry keeps its place: the place of a record is part of the mark by which a window
that is tried again knows what it has sent.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

import orjson
from redis import Redis

from app.destinations.identity.forgetting import forget
from app.destinations.identity.links import Link
from app.destinations.identity.pending import PendingLinks
from app.destinations.waiting.room import LANES_WITH_ROOM
from app.erasure.asked import Asked, Counts
from app.erasure.person import Person
from app.erasure.streams import Fields, Stream, Streams
from app.lanes.lanes import HeldLane
from app.lanes.work import LANES, OUTBOX_LANES, OutboxName
from app.store import keys
from app.store.slices import slices

_AT_ONCE: Final = 4  # entries of a megabyte each, at the most
_IDS_AT_ONCE: Final = 500
_PARTS: Final = 3


class SendingShare:
    """Takes a person out of what one lane is about to send.

    Args:
        redis: where.
        pending: the index of who waits for links.
    """

    def __init__(self, redis: Redis, pending: PendingLinks) -> None:
        self._redis = redis
        self._pending = pending
        self._streams = Streams(redis)

    def do(self, lane: HeldLane, asked: Asked) -> Counts:
        """Do it, to its end; what was done before a crash is found done.

        Raises:
            LaneLost: somebody else holds the lane.
        """
        counts = Counter[str]()
        person = asked.person
        if outbox := LANES[lane.name].outbox:
            counts["outbox_records"] = self._outbox(lane, outbox, person)
        if lane.name in LANES_WITH_ROOM:
            counts["waiting"] = self._room(lane, person)
        self._window(lane, asked)
        if lane.name == OUTBOX_LANES["identity"].name:
            counts["identities"] = forget(self._redis, lane, asked.ids)
        return counts

    # --- the outbox ----------------------------------------------------------------------------------------

    def _outbox(self, lane: HeldLane, name: OutboxName, person: Person) -> int:
        """Empty the places of records about the person; return how many there were."""
        project_id = lane.project_id

        def change(fields: Fields) -> Fields | None:
            if not person.is_in(fields[b"records"]):
                return None
            kept = [person.without(record) for record in fields[b"records"].split(b"\n")]
            records = b"\n".join(kept)
            return {**fields, b"records": records, b"bytes": b"%d" % len(records)}

        about = 0
        for record in self._records(lane, name):
            if record and not person.without(record):
                about += 1
                if name == "identity":  # nobody shall wait for a link that does not come
                    self._pending.drop(lane, Link.from_json(record).nodes)
        key, meta = keys.outbox(project_id, name), keys.outbox_meta(project_id, name)
        self._streams.rewrite(lane, Stream(key, f"outbox-{name}", _AT_ONCE, meta), change)
        return about

    def _records(self, lane: HeldLane, name: OutboxName) -> Iterator[bytes]:
        key, after = keys.outbox(lane.project_id, name), "-"
        while some := self._redis.xrange(key, min=after, count=_AT_ONCE):
            for id_, fields in cast("list[tuple[bytes, Fields]]", some):
                after = f"({id_.decode()}"
                yield from fields[b"records"].split(b"\n")
            lane.keep()

    # --- the waiting room ----------------------------------------------------------------------------------

    def _room(self, lane: HeldLane, person: Person) -> int:
        """Take the person's updates out of the room; return how many of their ids were known there."""
        project_id = lane.project_id
        key, meta = keys.waiting(project_id, lane.name), keys.waiting_meta(project_id, lane.name)

        def change(fields: Fields) -> Fields | None:
            if not (person.is_in(fields[b"ids"]) or person.is_in(fields[b"updates"])):
                return None
            ids = orjson.dumps([each for each in orjson.loads(fields[b"ids"]) if each not in person.ids])
            lines = fields[b"updates"].split(b"\n")
            updates = b"\n".join(person.replaced(each) for each in lines if not _is_of(each, person))
            size = b"%d" % (len(ids) + len(updates))
            return {**fields, b"ids": ids, b"updates": updates, b"bytes": size}

        self._streams.rewrite(lane, Stream(key, f"waiting-{lane.name}", _AT_ONCE, meta), change)
        removed = 0
        for some in slices(sorted(person.ids), _IDS_AT_ONCE):
            removed += int(lane.write(keys.waiting_ids(project_id, lane.name), "ZREM", *some))
        return removed

    # --- a window that is open -----------------------------------------------------------------------------

    def _window(self, lane: HeldLane, asked: Asked) -> None:
        """Take the ids out of what an open window's plan rests on; who waits with it keep their places."""
        key = keys.destination(lane.project_id, lane.name)
        known = cast("bytes | None", self._redis.hget(key, "window_known"))
        if known and asked.person.is_in(known):
            kept = _without(orjson.loads(known), asked)
            lane.write(key, "HSET", "window_known", orjson.dumps(kept))


def _is_of(line: bytes, person: Person) -> bool:
    """Say whether an update that waits (a round, a mark, a record from its id on) is the person's."""
    parts = line.split(b"\t", _PARTS - 1)
    return len(parts) == _PARTS and any(
        parts[-1].startswith(orjson.dumps(distinct_id)) for distinct_id in person.ids
    )


def _without(known: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    """Return what is known without the person. Of those who are held back, places count: one is filled."""
    ids = frozenset(asked.ids)
    kept = dict(known)
    if "present" in kept:
        kept["present"] = {
            cohort: [each for each in some if each not in ids] for cohort, some in kept["present"].items()
        }
    if "held" in kept:
        held: Sequence[str] = kept["held"]["ids"]
        named = [f"erased:{asked.number}:{place}" if each in ids else each for place, each in enumerate(held)]
        kept["held"] = {**kept["held"], "ids": named}
    return kept
