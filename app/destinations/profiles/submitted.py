"""Windows of the outboxes that hold profile and group updates, submitted by services.

A submitted record is one operation, without the project's token: `{"$distinct_id": ..., "$set": {...}}`, or
for a group `{"$group_key": ..., "$group_id": ..., "$set": {...}}`. Operations on one profile keep their order
and collapse like those of the log.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from app.destinations.outbox import Outboxes, Submission
from app.destinations.plan import Plan
from app.destinations.profiles.encoding import K, encode, give_up_unusable, group_head, profile_head
from app.destinations.profiles.operations import COUNTS, Op, expand
from app.destinations.profiles.programs import History
from app.destinations.source import Delivery, Keep, OutboxSource, kept
from app.destinations.waiting.gate import Gate
from app.destinations.waiting.hold import Hold, take_out
from app.lanes.lanes import HeldLane
from config.projects import Project
from config.rules import KINDS

_NOTHING_ELSE = b"{}"


class ProfilesOutboxSource(OutboxSource):
    """Turn submitted profile operations into updates.

    Args:
        outboxes: what was submitted.
        gate: who waits for a link.
    """

    def __init__(self, outboxes: Outboxes, gate: Gate) -> None:
        super().__init__(outboxes, "profiles")
        self._gate = gate

    def plan(self, project: Project, delivery: Delivery[Submission], keep: Keep = kept) -> tuple[Plan, bytes]:
        """Plan a window; return also who of it waits."""
        histories: dict[str, History] = {}
        for record, ops in _submitted(delivery.entries, keep):
            _step(histories, record["$distinct_id"], ops)
        if delivery.known is None:
            hold = self._gate.hold(project.id, lambda: list(histories))
        else:
            hold = Hold.from_json(orjson.loads(delivery.known))
        given_up = give_up_unusable(histories)
        held = take_out(histories, hold.ids)
        rounds = encode(histories, profile_head(project.token.reveal()), keep)
        return Plan(rounds, given_up, held), orjson.dumps(hold.to_json())

    def begun(self, lane: HeldLane, delivery: Delivery[Submission], plan: Plan, known: bytes) -> None:
        """Put what waits for links aside."""
        del delivery
        if plan.held:
            self._gate.room.hold(lane, Hold.from_json(orjson.loads(known)), plan.held)


class GroupsOutboxSource(OutboxSource):
    """Turn submitted group operations into updates."""

    def plan(self, project: Project, delivery: Delivery[Submission], keep: Keep = kept) -> tuple[Plan, bytes]:
        """Plan a window."""
        histories: dict[tuple[str, str], History] = {}
        for record, ops in _submitted(delivery.entries, keep):
            _step(histories, (record["$group_key"], record["$group_id"]), ops)
        return Plan(encode(histories, group_head(project.token.reveal()), keep)), _NOTHING_ELSE


def _step(histories: dict[K, History], key: K, ops: Iterable[Op]) -> None:
    histories[key] = histories.get(key, History()).then_only(ops)


def _submitted(entries: Iterable[Submission], keep: Keep) -> Iterator[tuple[dict[str, Any], list[Op]]]:
    """Give each record with its operations, in order."""
    for submission in entries:
        for index, encoded in enumerate(submission.records):
            keep()
            if not encoded:  # erased
                continue
            record = orjson.loads(encoded)
            yield record, list(_operations(record, f"{submission.sequence}.{index}"))


def _operations(record: dict[str, Any], place: str) -> Iterator[Op]:
    kind = next(kind for kind in KINDS if kind in record)
    body = record[kind]
    if kind == "$delete":
        yield Op(kind, "", None, leaving=False)
    elif kind == "$unset":
        yield from (Op(kind, name, None, leaving=False) for name in body)
    else:
        for number, (name, value) in enumerate(body.items()):
            mark = f"{place}.{number}" if kind in COUNTS else ""
            yield from expand(kind, name, value, leaving=False, mark=mark)
