"""Which bucket of a cohort holds a member: linear hashing.

The number of buckets grows by one at a time, and each step moves only the entries of one bucket. See
W. Litwin, "Linear hashing: a new tool for file and table addressing", VLDB 1980.
"""

from collections.abc import Sequence

import xxhash

LOAD = 90
"""Entries a bucket on average. Buckets not yet split hold up to twice as many as those that were."""

_HASH_BITS = 64
END = 1 << _HASH_BITS
"""Behind the last place, see `place_of`."""


def bucket_of(packed_id: bytes, buckets: int) -> int:
    """Return the number of the bucket, from 0, among `buckets`."""
    level = 1 << (buckets.bit_length() - 1)
    place = xxhash.xxh3_64_intdigest(packed_id) & (2 * level - 1)
    return place if place < buckets else place & (level - 1)


def by_bucket(packed_ids: Sequence[bytes], buckets: int) -> dict[int, list[bytes]]:
    """Sort ids into their buckets."""
    grouped: dict[int, list[bytes]] = {}
    for packed_id in packed_ids:
        grouped.setdefault(bucket_of(packed_id, buckets), []).append(packed_id)
    return grouped


def place_of(packed_id: bytes) -> int:
    """Return a member's place in an order that no split changes, from 0 to `END - 1`.

    It is the hash, its bits in reverse. A bucket's entries share the low bits of theirs, so they follow each
    other in this order, and a split cuts such a piece in two: the first stays, the second moves.
    """
    return _reversed(xxhash.xxh3_64_intdigest(packed_id), _HASH_BITS)


def bucket_at(place: int, buckets: int) -> tuple[int, int]:
    """Return the number of the bucket that holds a place, and the first place that it does not hold."""
    level = 1 << (buckets.bit_length() - 1)
    low = _reversed(place, _HASH_BITS) & (2 * level - 1)
    number = low if low < buckets else low & (level - 1)
    split = (number & (level - 1)) + level < buckets
    bits = level.bit_length() - (not split)  # how many low bits its entries share
    return number, (_reversed(number, bits) + 1) << (_HASH_BITS - bits)


def _reversed(number: int, bits: int) -> int:
    """Return the low bits of a number in reverse."""
    return int(f"{number:0{bits}b}"[::-1], 2) if bits else 0


def splits_from(buckets: int) -> int:
    """Return the bucket that the next new one, numbered `buckets`, takes its entries from."""
    return buckets - (1 << (buckets.bit_length() - 1))


def wanted(entries: int) -> int:
    """Return how many buckets so many entries ought to have."""
    return max(1, -(-entries // LOAD))
