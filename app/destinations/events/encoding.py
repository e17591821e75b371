"""From an event to the record that `/import` takes.

A record is the same, byte for byte, whenever it is made: it may be sent again after a time-out or a crash,
and Mixpanel knows events with equal (event, time, distinct_id, $insert_id) as one.
"""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any, Final

import orjson

from app.destinations.events.causes import Telling
from app.mixpanel.refused_ids import REFUSED_IDS
from config.links import DEVICE_PREFIX
from config.projects import Project

_INSERT_ID_BYTES: Final = 16  # 32 hexadecimal digits

Encode = Callable[[str], bytes]
"""Makes the record of one member, given the distinct_id."""


def insert_ids(telling: Telling) -> Callable[[str], str]:
    """Make the `$insert_id` of each member: the same at every try, and never another event's."""
    entry = telling.entry
    named = orjson.dumps([entry.generation, entry.sequence, telling.way, telling.rule])
    beginning = blake2b(named, digest_size=_INSERT_ID_BYTES)

    def of_member(distinct_id: str) -> str:
        digest = beginning.copy()
        digest.update(distinct_id.encode())
        return digest.hexdigest()

    return of_member


def encoder(project: Project, telling: Telling) -> Callable[[str, Mapping[str, Any]], Encode]:
    """Make what encodes the rendered name and properties of a telling's event."""
    insert_id_of = insert_ids(telling)
    source = orjson.dumps(project.source)
    filled = b'"$source":%b,"time":%d,"distinct_id":' % (source, telling.entry.time_ms)
    devices = project.id_management == "simplified"

    def of_event(name: str, properties: Mapping[str, Any]) -> Encode:
        own = _own(properties)
        head = b'{"event":%b,"properties":{%b%b' % (orjson.dumps(name), own + b"," if own else b"", filled)

        def of_member(distinct_id: str) -> bytes:
            encoded = orjson.dumps(distinct_id)
            device = b""
            if devices and distinct_id.startswith(DEVICE_PREFIX):
                device = _device(distinct_id.removeprefix(DEVICE_PREFIX))
            insert_id = insert_id_of(distinct_id).encode()
            return b'%b%b,%b"$insert_id":"%b"}}' % (head, encoded, device, insert_id)

        return of_member

    return of_event


def _device(device_id: str) -> bytes:
    """Name a device as Mixpanel's SDKs do, unless Mixpanel refuses the id: the profile's says it, too."""
    usable = device_id and device_id not in REFUSED_IDS
    return b'"$device_id":%b,' % orjson.dumps(device_id) if usable else b""


def _own(properties: Mapping[str, Any]) -> bytes:
    """Encode what a rule says, without the braces around it."""
    try:
        return orjson.dumps(properties, option=orjson.OPT_SORT_KEYS)[1:-1]
    except orjson.JSONEncodeError:  # nested too deep: the event is given up, and told without them
        return b""
