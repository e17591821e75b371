"""Write times, sizes, counts and tables for people.

Names come from outside: what a terminal would act upon is taken out of them.
"""

import shutil
import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

from tabulate import tabulate

NEVER: Final = "never"
LONGEST_NAME: Final = 40
NARROWEST: Final = 20
_KIB: Final = 1024
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def terminal_width() -> int | None:
    """Return how many columns the terminal has; None where the output is read by something else."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    numbers: Collection[str] = (),
    spare: Sequence[str] = (),
    width: int | Literal["terminal"] | None = "terminal",
) -> str:
    """Return a table.

    Args:
        headers: the columns' names.
        rows: their cells.
        numbers: names of the columns that are aligned to the right.
        spare: names of the columns that may go where the table is too wide, the first first.
        width: how wide it may be; None for as wide as it comes. What is too wide without the spare columns is
            broken within its last column.
    """
    if width == "terminal":
        width = terminal_width()
    cells = [[str(cell) for cell in row] for row in rows]
    names = list(headers)
    for name in spare:
        if width is None or not cells or _width(names, cells) <= width:
            break
        place = names.index(name)
        names.pop(place)
        for row in cells:
            row.pop(place)
    broken: list[int | None] | None = None
    if width is not None and cells and (over := _width(names, cells) - width) > 0:
        longest = max(len(row[-1]) for row in cells)
        broken = [*([None] * (len(names) - 1)), max(len(names[-1]), longest - over, NARROWEST)]
    align = ["right" if name in numbers else "left" for name in names]
    return tabulate(cells, headers=names, disable_numparse=True, colalign=align, maxcolwidths=broken)


def _width(headers: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    """Return how wide tabulate makes a table: two spaces between columns, and two more behind a header."""
    widths = [
        max(len(header) + 2, *map(len, column)) for header, *column in zip(headers, *cells, strict=True)
    ]
    return sum(widths) + 2 * (len(widths) - 1)


def section(title: str, body: str) -> str:
    """Return a titled part of an answer."""
    return f"{title}\n\n{body}\n"


def number(value: int) -> str:
    """Write a count with its thousands apart."""
    return f"{value:,}"


def plural(value: int, noun: str) -> str:
    """Write a count and what it counts."""
    return f"{value:,} {noun}{'' if value == 1 else 's'}"


def size(value_bytes: int) -> str:
    """Write a size in the unit that leaves it short."""
    amount = float(value_bytes)
    for unit in ("B", "KiB", "MiB"):
        if amount < _KIB:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"  # noqa: PLR2004 - three digits
        amount /= _KIB
    return f"{amount:,.1f} GiB"


def duration(value_s: float) -> str:
    """Write a length of time by its two largest units."""
    whole = round(max(0.0, value_s))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    if whole < _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def ago(at_ms: int | None, now_ms: int) -> str:
    """Write how long ago a time was; 0 and None are never."""
    return f"{duration((now_ms - at_ms) / 1000)} ago" if at_ms else NEVER


def moment(at_ms: int | None) -> str:
    """Write a time, in UTC; 0 and None are never."""
    if not at_ms:
        return NEVER
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def clean(text: str, longest: int = LONGEST_NAME) -> str:
    """Return a text from outside fit for one cell: on one line, without control characters, not too long."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= longest else f"{line[: longest - 3]}..."
