"""Which bucket of a cohort holds a member: linear hashing.

The number of buckets grows by one at a time, and each step moves only the entries of one bucket. See
W. Litwin, "Linear hashing: a new tool for file and table addressing", VLDB 1980.
"""

import xxhash

LOAD = 90
"""Entries a bucket on average. Buckets not yet split hold up to twice as many as those that were."""


def bucket_of(packed_id: bytes, buckets: int) -> int:
    """Return the number of the bucket, from 0, among `buckets`."""
    level = 1 << (buckets.bit_length() - 1)
    place = xxhash.xxh3_64_intdigest(packed_id) & (2 * level - 1)
    return place if place < buckets else place & (level - 1)


def splits_from(buckets: int) -> int:
    """Return the bucket that the next new one, numbered `buckets`, takes its entries from."""
    return buckets - (1 << (buckets.bit_length() - 1))


def wanted(entries: int) -> int:
    """Return how many buckets so many entries ought to have."""
    return max(1, -(-entries // LOAD))
