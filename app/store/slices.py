"""Cut what is too much for one command or one script."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def slices(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Give the items in order, at most `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
