"""The notation for traces: `M0{a} | +1[1/2]{b} -1{a} |3d| +2{} -2{}`.

`M` members, `+` add_members, `-` remove_members, then the session, `[page/total]` (left out: 1/1) and who is
named; `|` is 30 minutes, `|3d|` three days.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.model.story import SNAPSHOT_LIVES_S, SYNC_EVERY_S
from tests.model.wire import Action, SentPage

_ACTIONS: dict[str, Action] = {"M": "members", "+": "add_members", "-": "remove_members"}
_SIGNS = {action: sign for sign, action in _ACTIONS.items()}
_TOKEN = re.compile(r"\|3d\||\||([M+-])(\w+)(?:\[(\d+)/(\d+)\])?\{([^}]*)\}|\s+")


def parse(text: str, pace_s: float = 1.0) -> tuple[SentPage, ...]:
    """Read a trace; pages between two bars arrive `pace_s` seconds apart.

    Raises:
        ValueError: If a part of the text is not in the notation.
    """
    pages: list[SentPage] = []
    sync_at = at = 0.0
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise ValueError(f"not in the notation: {text[position:]!r}")
        position = token.end()
        if token[0].startswith("|"):
            sync_at += SYNC_EVERY_S if token[0] == "|" else SNAPSHOT_LIVES_S
            at = sync_at
        elif token[1]:
            members = tuple(name for name in token[5].split(",") if name)
            pages.append(
                SentPage(token[2], _ACTIONS[token[1]], int(token[3] or 1), int(token[4] or 1), members, at)
            )
            at += pace_s
    return tuple(pages)


def show(pages: Iterable[SentPage]) -> str:
    """Write a trace; when a page came within its half hour is lost."""
    parts: list[str] = []
    slot = 0
    for page in pages:
        now = int(page.at // SYNC_EVERY_S)
        if (now - slot) * SYNC_EVERY_S >= SNAPSHOT_LIVES_S:
            parts.append("|3d|")
        else:
            parts += ["|"] * (now - slot)
        slot = now
        place = "" if (page.number, page.total) == (1, 1) else f"[{page.number}/{page.total}]"
        parts.append(f"{_SIGNS[page.action]}{page.session}{place}{{{','.join(page.members)}}}")
    return " ".join(parts)
