"""Show how far something long has come: a bar with its rate and the time that is left."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click

_RATE_AFTER_S: Final = 0.2
"""Before, what was done when it began makes any rate of it."""

_SHOWN_EVERY_S: Final = 0.1
"""Often enough for an eye, and seldom enough to cost nothing where millions pass."""

Advance = Callable[[int], None]
"""Says that so many more are done."""


@contextmanager
def progress(label: str, total: int, *, hidden: bool = False) -> Iterator[Advance]:
    """Show a bar on standard error, if that is a terminal, while the block under `with` is at work.

    Args:
        label: what is done.
        total: how many there are; nothing is shown where there are none.
        hidden: show nothing.
    """
    begun_s = time.monotonic()
    done = shown = 0
    shown_s = 0.0

    def rate(_: int | None) -> str:
        taken_s = time.monotonic() - begun_s
        return f"{done / taken_s:,.0f}/s" if taken_s >= _RATE_AFTER_S else ""

    if hidden or not total or not sys.stderr.isatty():
        yield lambda _: None
        return
    bar = click.progressbar(
        length=total, label=label, show_pos=True, show_eta=True, item_show_func=rate, file=sys.stderr
    )
    with bar:

        def advance(count: int) -> None:
            nonlocal done, shown, shown_s
            done += count
            if (now_s := time.monotonic()) - shown_s >= _SHOWN_EVERY_S:
                bar.update(done - shown, current_item=count)
                shown, shown_s = done, now_s

        yield advance
        bar.update(done - shown, current_item=0)
