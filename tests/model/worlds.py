"""Every story of the documented sender in a tiny world: `python -m tests.model.worlds --help`.

A world has two or three people and a few syncs. In each sync the cohort becomes any subset, and the export
succeeds or fails at any of its pages. Without lost last answers a receiver can tell from the pages alone what
the sender knows, so it must never be wrong. With them some stories look alike on the wire and end
differently: those are left out, because no receiver can decide them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, combinations

from tests.model.notation import show
from tests.model.rates import RECEIVERS, end_of
from tests.model.receiver import Receiver
from tests.model.sender import Sender, Sent
from tests.model.story import SYNC_EVERY_S, Habits, Step, Story
from tests.model.wire import SentPage


@dataclass(frozen=True, slots=True)
class TinyWorld:
    """What to enumerate; `syncs` counts those after the first whole list, the last of which succeeds."""

    people: str
    syncs: int
    page_size: int = 1
    lost_last: bool = False
    habits: Habits = field(default_factory=Habits)


DEFAULT = (
    TinyWorld("ab", 4),
    TinyWorld("ab", 3, page_size=2),
    TinyWorld("abc", 3, page_size=2),
    TinyWorld("ab", 3, habits=Habits(across=True)),
    TinyWorld("ab", 3, habits=Habits(remove_first=True)),
)
BIGGER = (
    *DEFAULT,
    TinyWorld("ab", 4, page_size=2),
    TinyWorld("abc", 3),
    TinyWorld("ab", 5, page_size=2),
    TinyWorld("abc", 4, page_size=3),
)


def stories(world: TinyWorld) -> Iterator[Sent]:
    """Yield what every story of the world puts on the wire."""
    subsets = [frozenset(names) for names in _subsets(world.people)]
    sender = Sender(Story((), world.habits, world.page_size))
    for first in subsets:
        begun = replace(sender, held_up=[])
        pages = begun.sync(Step(first), 0.0)
        yield from _goes_on(world, begun, pages, subsets=subsets, left=world.syncs, at=SYNC_EVERY_S)


def _goes_on(
    world: TinyWorld,
    sender: Sender,
    pages: list[SentPage],
    *,
    subsets: list[frozenset[str]],
    left: int,
    at: float,
) -> Iterator[Sent]:
    if not left:
        yield Sent(tuple(pages), sender.snapshot or frozenset(), last_succeeded=True)
        return
    for cohort in subsets:
        fates = [Step(cohort)]
        if left > 1:
            count = len(sender.pages(Step(cohort), at))
            fates += [Step(cohort, fails_at=position) for position in range(count)]
            if world.lost_last and count:
                fates.append(Step(cohort, fails_at=count - 1, lost=True))
        for step in fates:
            branch = replace(sender, held_up=[])
            more = pages + branch.sync(step, at)
            yield from _goes_on(world, branch, more, subsets=subsets, left=left - 1, at=at + SYNC_EVERY_S)


def wrong(make: Callable[[], Receiver], world: TinyWorld) -> tuple[int, list[Sent]]:
    """Try every decidable story of a world; return how many there were, and those that ended wrong."""
    tried = 0
    bad = []
    for sent in _decidable(world) if world.lost_last else stories(world):
        tried += 1
        if end_of(make(), sent) != sent.snapshot:
            bad.append(sent)
    return tried, bad


def _decidable(world: TinyWorld) -> Iterator[Sent]:
    """Yield, once each, the stories whose pages tell how they end."""
    ends: dict[tuple[tuple[object, ...], ...], set[frozenset[str]]] = {}
    seen: dict[tuple[tuple[object, ...], ...], Sent] = {}
    for sent in stories(world):
        key = tuple(_looks(page) for page in _without_copies(sent.pages))
        ends.setdefault(key, set()).add(sent.snapshot)
        seen[key] = sent
    yield from (sent for key, sent in seen.items() if len(ends[key]) == 1)


def _looks(page: SentPage) -> tuple[object, ...]:
    return (page.session, page.action, page.number, page.total, page.members)


def _without_copies(pages: tuple[SentPage, ...]) -> list[SentPage]:
    return list({_looks(page): page for page in reversed(pages)}.values())[::-1]


def _subsets(people: str) -> Iterator[tuple[str, ...]]:
    return chain.from_iterable(combinations(people, size) for size in range(len(people) + 1))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bigger", action="store_true", help="minutes instead of seconds")
    parser.add_argument(
        "--lost-last", action="store_true", help="with lost last answers, decidable stories only"
    )
    parser.add_argument("--receiver", default="trusting", choices=RECEIVERS)
    parser.add_argument("--show", type=int, default=3, metavar="N", help="wrong traces to print a world")
    options = parser.parse_args()
    for world in BIGGER if options.bigger else DEFAULT:
        tried, bad = wrong(RECEIVERS[options.receiver], replace(world, lost_last=options.lost_last))
        print(f"{world}: {len(bad)} wrong of {tried}")
        for sent in sorted(bad, key=lambda sent: len(sent.pages))[: options.show]:
            print(f"    {show(sent.pages)} should end as {','.join(sorted(sent.snapshot)) or 'nobody'}")


if __name__ == "__main__":
    main()
