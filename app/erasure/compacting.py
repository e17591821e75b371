"""Write anew the streams from which a person was deleted: till then their bytes are there, marked as gone.

The inbox and what is set aside are the apply lane's, so that it does this; the log, which others add to and
trim, and dead letters are written anew while they change.
"""

from collections.abc import Iterable

from redis import Redis

from app.erasure.asked import Asked, note_done
from app.erasure.streams import Stream, Streams, Unsettled
from app.lanes.lanes import HeldLane
from app.store import keys

COMPACTED = ":compacted"
"""Ends the name under which a lane notes that it has done this."""
_LARGE, _MIDDLING = 4, 16


class Compacting:
    """Writes streams anew.

    Args:
        redis: where.
    """

    def __init__(self, redis: Redis) -> None:
        self._streams = Streams(redis)

    def apply(self, lane: HeldLane, together: Iterable[Asked]) -> None:
        """Do it for the apply lane: inbox, pages set aside, log. What cannot be done now is, at the next run.

        Args:
            lane: the apply lane, held.
            together: the erasures that wait for it: one time serves all.

        Raises:
            LaneLost: somebody else holds the lane.
        """
        project_id = lane.project_id
        try:
            for stream in (
                Stream(keys.inbox(project_id), "inbox", _LARGE),
                Stream(keys.set_aside(project_id), "aside", 1),
                Stream(keys.log(project_id), "log", _MIDDLING),
            ):
                self._streams.rewrite(lane, stream)
        except Unsettled:
            return
        for asked in together:
            note_done(lane, asked, {}, COMPACTED)

    def held_up(self, project_id: str) -> str:
        """Say what holds it up, if that is known."""
        much = self._streams.much_is_pending(keys.log(project_id))
        return "consumer groups have more than 2,500 entries of the log pending" if much else ""

    def letters(self, lane: HeldLane) -> bool:
        """Do it for dead letters; return whether it is done."""
        try:
            key = keys.dead_letters(lane.project_id)
            self._streams.rewrite(lane, Stream(key, "dead", _MIDDLING))
        except Unsettled:
            return False
        return True
