"""Move the links that rules cause from the change log into the identity outbox.

That is all that the lane `identity` does, so it follows the log closely, and links of rules and of services
are treated alike, in one order, by the lane of the outbox.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final, cast

from redis import Redis
from structlog.stdlib import get_logger

from app.cohorts.changelog import ChangeLog, Entry
from app.destinations.cursor import Cursor
from app.destinations.identity.caused import caused
from app.destinations.identity.ledger import Ledger, edge_of
from app.destinations.identity.links import Link
from app.destinations.identity.preflight import System
from app.lanes.lanes import HeldLane, LaneLost, Lanes
from app.lanes.outcome import Outcome
from app.lanes.work import OUTBOX_LANES
from app.store import keys, scripts
from config.projects import Project

READ_CHANGES: Final = 2_500
FULL_WAIT_S: Final = 5.0
FULL = "the identity outbox is full"
_NAME: Final = "identity"
log = get_logger(__name__)


class LinkMover:
    """Run the lane `identity`.

    Args:
        redis: where.
        lanes: wakes the lane of the outbox.
        changelog: the log that is read and trimmed.
        ledger: what was linked, which need not go through the outbox again.
        cursor: of the lane `identity`.
        cap_bytes: most bytes that may wait in the outbox.
        clock: seconds, the clock that `until` is measured by.
    """

    def __init__(
        self,
        redis: Redis,
        lanes: Lanes,
        changelog: ChangeLog,
        ledger: Ledger,
        cursor: Cursor,
        *,
        cap_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._move = scripts.load(redis, "destinations/identity/scripts/move.lua")
        self._lanes = lanes
        self._changelog = changelog
        self._ledger = ledger
        self._cursor = cursor
        self._cap_bytes = cap_bytes
        self._clock = clock

    def run(self, lane: HeldLane, project: Project, until: float) -> Outcome:
        """Move links until the log's end, the time's end (`until`, by the clock) or a full outbox.

        Raises:
            LaneLost: the lane was taken over; whoever has it goes on.
        """
        self._changelog.admit(lane)
        while True:
            position = self._cursor.position(project.id)
            if position.paused:
                return Outcome.stopped(position.paused.sentence)
            after = position.cursor
            entries = self._changelog.read(project.id, after, READ_CHANGES)
            if not entries:
                return Outcome.drained()
            moved = self._move_entries(lane, project, after, entries)
            self._changelog.trim(project.id)
            if not moved:
                return self._wait(lane)
            if self._clock() >= until:
                return Outcome.more()
            lane.keep()

    def _move_entries(self, lane: HeldLane, project: Project, after: int, entries: Sequence[Entry]) -> bool:
        """Move the links of entries, one step an entry that has some; False where there is no room."""
        linking = self._linking(project, entries)
        for number, (entry, links) in enumerate(zip(entries, linking, strict=True), 1):
            if links or number == len(entries):
                if not self._move_links(lane, after, entry.sequence, links):
                    return False
                after = entry.sequence
        return True

    def _linking(self, project: Project, entries: Sequence[Entry]) -> list[list[Link]]:
        """Give the links of each entry, without those that were made before, or refused of late."""
        found = [
            [link for _, link in caused(project.id, entry, rules)] if rules.has_links else []
            for entry in entries
            for rules in (self._changelog.rule_sets.of(project, entry.rules),)
        ]
        nodes = (node for links in found for link in links for node in link.nodes)
        known = self._ledger.clusters(project.id, nodes)
        new = [[link for link in links if not known.has(edge_of(link)[0])] for links in found]
        asked = (link for links in new for link in links)
        refused = self._ledger.refusals.known(project.id, System.of(project), asked)
        return [[link for link in links if link not in refused] for links in new]

    def _move_links(self, lane: HeldLane, after: int, end: int, links: Sequence[Link]) -> bool:
        project_id = lane.project_id
        outbox = OUTBOX_LANES["identity"].name
        body = b"\n".join(link.to_json() for link in links)
        names = [
            lane.key,
            keys.destination(project_id, lane.name),
            keys.outbox(project_id, _NAME),
            keys.outbox_meta(project_id, _NAME),
            keys.lane(project_id, outbox),
        ]
        args: list[str | bytes | int] = [lane.token, after, end, len(links), len(body), body, self._cap_bytes]
        outcome, *wake = cast("list[int]", self._move(keys=names, args=args))
        if not outcome:
            raise LaneLost(lane.name)
        if outcome > 0:
            self._lanes.enqueue(project_id, outbox, wake[0])
        return outcome > 0

    def _wait(self, lane: HeldLane) -> Outcome:
        """Hold the log until the outbox has room."""
        tries = self._cursor.retry_later(lane, FULL, "outbox_full")
        log.warning("links_held", project_id=lane.project_id, reason=FULL, tries=tries)
        return Outcome.later(FULL_WAIT_S, FULL)
