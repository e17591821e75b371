"""Pack members so that a cohort of millions costs some 30 to 50 bytes each.

A distinct_id that is a canonical UUID (most are) takes 16 bytes, any other its UTF-8. An entry takes 8
bytes, 16 with a fingerprint. So a bucket of about 100 members stays within Redis's compact encoding for small
hashes.
"""

import re
import struct
from collections.abc import Iterable, Iterator

import xxhash

from app.cohorts.epochs import Entry

UUID_BYTES = 16
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_NOT_UTF8 = b"\xff"
"""Marks a text of just 16 bytes, which would be taken for a UUID; no UTF-8 begins with it."""

_SHORT, _LONG = struct.Struct("<II"), struct.Struct("<IIQ")
_NOW, _WAS, _ALSO, _AGAIN, _SHIFT = 1, 2, 4, 8, 4
_LENGTH = struct.Struct("<H")


def pack_id(distinct_id: str) -> bytes:
    """Pack a distinct_id; equal ids give equal bytes, different ones different bytes."""
    if len(distinct_id) == 36 and _UUID(distinct_id):  # noqa: PLR2004 - the length of a textual UUID
        return bytes.fromhex(distinct_id.replace("-", ""))
    packed = distinct_id.encode()
    return _NOT_UTF8 + packed if len(packed) == UUID_BYTES else packed


def unpack_id(packed: bytes) -> str:
    """Return the distinct_id that `pack_id` packed."""
    if len(packed) == UUID_BYTES:
        text = packed.hex()
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
    return packed.removeprefix(_NOT_UTF8).decode()


def pack_ids(packed: Iterable[bytes]) -> bytes:
    """Join packed ids into one value."""
    return b"".join(_LENGTH.pack(len(each)) + each for each in packed)


def unpack_ids(joined: bytes) -> Iterator[bytes]:
    """Take apart what `pack_ids` joined."""
    at = 0
    while at < len(joined):
        (length,) = _LENGTH.unpack_from(joined, at)
        at += _LENGTH.size
        yield joined[at : at + length]
        at += length


def pack_entry(entry: Entry) -> bytes:
    """Pack an entry; a fingerprint of 0 takes no room."""
    flags = entry.now * _NOW | entry.was * _WAS | entry.also * _ALSO | entry.again * _AGAIN
    flags |= entry.epoch << _SHIFT
    if entry.fingerprint:
        return _LONG.pack(flags, entry.entered, entry.fingerprint)
    return _SHORT.pack(flags, entry.entered)


def unpack_entry(packed: bytes) -> Entry:
    """Return the entry that `pack_entry` packed."""
    fingerprint = 0
    if len(packed) == _LONG.size:
        flags, entered, fingerprint = _LONG.unpack(packed)
    else:
        flags, entered = _SHORT.unpack(packed)
    return Entry(
        now=bool(flags & _NOW),
        was=bool(flags & _WAS),
        epoch=flags >> _SHIFT,
        also=bool(flags & _ALSO),
        again=bool(flags & _AGAIN),
        entered=entered,
        fingerprint=fingerprint,
    )


def fingerprint(encoded: bytes) -> int:
    """Return 8 bytes that stand for the exported properties, never 0, which stands for none."""
    return xxhash.xxh3_64_intdigest(encoded) or 1
