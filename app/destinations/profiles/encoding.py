"""From histories to records: what every record of a profile or a group begins with, and the rounds."""

from collections.abc import Callable, Hashable, Mapping, MutableMapping
from typing import Final, TypeVar

import orjson

from app.destinations.dead_letters import DeadLetter
from app.destinations.plan import Round
from app.destinations.profiles.programs import History
from app.destinations.source import Keep, kept
from app.mixpanel.refused_ids import REFUSED_IDS

K = TypeVar("K", bound=Hashable)
_KEEP_EVERY: Final = 16
_UNUSABLE: Final = "Mixpanel refuses this distinct_id, so nothing was sent for it"


def profile_start(token: str) -> bytes:
    """Make what every profile's record begins with, up to the distinct_id."""
    return b'{"$token":%b,"$distinct_id":' % orjson.dumps(token)


def profile_head(token: str) -> Callable[[str], bytes]:
    """Make what a profile's record begins with, given its distinct_id."""
    start = profile_start(token)
    return lambda distinct_id: start + orjson.dumps(distinct_id)


def group_head(token: str) -> Callable[[tuple[str, str]], bytes]:
    """Make what a group's record begins with, given its key and id."""
    start = b'{"$token":%b,"$group_key":' % orjson.dumps(token)
    return lambda group: b'%b%b,"$group_id":%b' % (start, *map(orjson.dumps, group))


def encode(
    histories: Mapping[K, History], head: Callable[[K], bytes], keep: Keep = kept
) -> tuple[Round, ...]:
    """Put what is left of each history into rounds of records.

    Args:
        histories: by what is updated.
        head: makes what its records begin with, up to the operation's comma.
        keep: keeps the lane meanwhile.
    """
    rounds: list[Round] = []
    for place, (key, history) in enumerate(histories.items()):
        if not place % _KEEP_EVERY:
            keep()
        named = head(key)
        for number, tail, mark in history.parts:
            while number >= len(rounds):
                rounds.append(Round())
            if mark:
                rounds[number].once.append((mark, named + tail))
            else:
                rounds[number].records.append(named + tail)
    return tuple(rounds)


def give_up_unusable(histories: MutableMapping[str, History]) -> tuple[DeadLetter, ...]:
    """Take out the profiles whose distinct_id Mixpanel refuses; each is one dead letter."""
    unusable = sorted(REFUSED_IDS & histories.keys())
    for distinct_id in unusable:
        del histories[distinct_id]
    return tuple(
        DeadLetter("unusable_id", _UNUSABLE, "", orjson.dumps({"$distinct_id": distinct_id}))
        for distinct_id in unusable
    )
