"""Write ids and clusters down in few bytes: a link of two UUIDs takes 60, so that hashes stay compact."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from app.destinations.identity.clusters import Cluster, Edge
from config.links import DEVICE_PREFIX, Verb

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_TEXT, _HEX, _DEVICE_TEXT, _DEVICE_HEX = b"\0", b"\1", b"\2", b"\3"
_VERBS: Final[tuple[Verb, ...]] = ("device", "identify", "alias", "merge")
_TIME_BYTES: Final = 6
_WHY_BYTES: Final = 8
_SEVEN_BITS: Final = 0x7F
_MORE: Final = 0x80


def pack_node(node: str) -> bytes:
    """Pack a distinct_id: a kind, then 16 bytes of a canonical UUID or the text; one way for each id."""
    device = node.startswith(DEVICE_PREFIX)
    text = node.removeprefix(DEVICE_PREFIX) if device else node
    if _UUID(text):
        return (_DEVICE_HEX if device else _HEX) + bytes.fromhex(text.replace("-", ""))
    return (_DEVICE_TEXT if device else _TEXT) + text.encode()


def unpack_node(packed: bytes) -> str:
    """Return the distinct_id that `pack_node` packed."""
    kind, rest = packed[:1], packed[1:]
    if kind in (_HEX, _DEVICE_HEX):
        digits = rest.hex()
        text = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    else:
        text = rest.decode()
    return DEVICE_PREFIX + text if kind in (_DEVICE_TEXT, _DEVICE_HEX) else text


def pack_cluster(parts: int, edges: Sequence[Edge]) -> bytes:
    """Pack how many older parts there are, the ids, and the links between them."""
    nodes = list(dict.fromkeys(node for edge in edges for node in (edge.first, edge.second)))
    places = {node: place for place, node in enumerate(nodes)}
    packed = bytearray(_number(parts) + _number(len(nodes)))
    for node in nodes:
        one = pack_node(node)
        packed += _number(len(one)) + one
    for edge in edges:
        packed.append(_VERBS.index(edge.verb))
        packed += _number(places[edge.first]) + _number(places[edge.second])
        packed += edge.time_ms.to_bytes(_TIME_BYTES, "big") + edge.why + _number(edge.sequence)
    return bytes(packed)


def unpack_cluster(number: int, packed: bytes) -> Cluster:
    """Return the cluster that `pack_cluster` packed, under its number."""
    reader = _Reader(packed)
    parts = reader.number()
    nodes = [unpack_node(reader.take(reader.number())) for _ in range(reader.number())]
    return Cluster(number, parts, list(_edges(reader, nodes)))


def _edges(reader: "_Reader", nodes: Sequence[str]) -> Iterator[Edge]:
    while not reader.ended:
        yield Edge(
            verb=_VERBS[reader.take(1)[0]],
            first=nodes[reader.number()],
            second=nodes[reader.number()],
            time_ms=int.from_bytes(reader.take(_TIME_BYTES), "big"),
            why=reader.take(_WHY_BYTES),
            sequence=reader.number(),
        )


class _Reader:
    """Takes bytes off the front."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at >= len(self._packed)

    def take(self, size: int) -> bytes:
        self._at += size
        return self._packed[self._at - size : self._at]

    def number(self) -> int:
        """Read what `_number` wrote."""
        value = shift = 0
        while True:
            byte = self._packed[self._at]
            self._at += 1
            value |= (byte & _SEVEN_BITS) << shift
            if not byte & _MORE:
                return value
            shift += 7


def _number(value: int) -> bytes:
    """Write a number of 0 or more in as many bytes as it takes, seven bits each."""
    packed = bytearray()
    while value > _SEVEN_BITS:
        packed.append(value & _SEVEN_BITS | _MORE)
        value >>= 7
    packed.append(value)
    return bytes(packed)
