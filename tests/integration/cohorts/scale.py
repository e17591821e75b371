"""The same code with small numbers, so that a handful of people need several chunks, buckets and lists."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock


@contextmanager
def scaled_down(chunk: int, load: int, list_limit: int) -> Iterator[None]:
    """Let a handful of people need several chunks and buckets, and have lists of ids cut."""
    with (
        mock.patch("app.cohorts.applying.pages.CHUNK", chunk),
        mock.patch("app.cohorts.applying.tasks.CHUNK", chunk),
        mock.patch("app.cohorts.applying.replaying.CHUNK", 2 * chunk),
        mock.patch("app.cohorts.applying.reconciling.CHUNK", chunk),
        mock.patch("app.cohorts.bucket_reading.CHUNK", chunk),
        mock.patch("app.cohorts.buckets.LOAD", load),
        mock.patch("app.cohorts.epochs.attempt.LIST_LIMIT", list_limit),
        mock.patch("app.cohorts.applying.pages.MEMBERS_A_PAGE", 2 * load),
    ):
        yield
