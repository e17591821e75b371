"""Measures how often a receiver ends wrong, class by class: `python -m tests.model.rates --help`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tabulate import tabulate

from tests.model.chance import World, random_story
from tests.model.classes import CLASSES, Class
from tests.model.notation import show
from tests.model.receiver import AdditionsOnly, EndsByPageNumber, MarkAndSweep, PlainSets, Receiver
from tests.model.sender import Sent
from tests.model.shrink import shrunk
from tests.model.story import Habits, Story
from tests.model.traces import KINDS

QUIET_AFTER_S = 1500.0
"""How long nothing comes after the last page before the end is looked at; less than until the next sync."""

Making = Callable[[], Receiver]


def _engine() -> Receiver:
    from tests.model.engine import EngineReceiver  # noqa: PLC0415 - the baselines can be measured without it

    return EngineReceiver(None)


def _trusting() -> Receiver:
    from tests.model.engine import EngineReceiver  # noqa: PLC0415 - the baselines can be measured without it

    return EngineReceiver(dict.fromkeys(KINDS, 1))


def _knowing(habits: Habits) -> Receiver:
    """Make an engine that has learned what the warm-up shows of a sender's habits."""
    from tests.model.engine import EngineReceiver  # noqa: PLC0415 - the baselines can be measured without it

    half = int(habits.empty_calls)
    knowledge = {"torn": 1, "add": half, "remove": half, "one_id": not habits.two_ids}
    return EngineReceiver({**knowledge, "across": habits.across, "per_call": not habits.across})


RECEIVERS: dict[str, Making] = {
    "engine": _engine,
    "trusting": _trusting,
    "plain": PlainSets,
    "additions-only": AdditionsOnly,
    "by-page-number": EndsByPageNumber,
    "mark-and-sweep": MarkAndSweep,
}


def end_of(receiver: Receiver, sent: Sent) -> frozenset[str]:
    """Feed a receiver all that arrived, let it be quiet for a while, and look who is in the cohort."""
    for page in sent.pages:
        receiver.receive(page)
    receiver.quiet_until((sent.pages[-1].at if sent.pages else 0.0) + QUIET_AFTER_S)
    return receiver.members()


def wrong(make: Making, worlds: tuple[World, ...], seeds: range) -> Iterator[tuple[int, Story]]:
    """Yield the stories that end wrong, each with its seed."""
    for seed in seeds:
        story, sent = random_story(worlds[seed % len(worlds)], seed)
        if end_of(make(), sent) != sent.snapshot:
            yield seed, story


def rate(receiver: str, of: Class, traces: int, first_seed: int = 0) -> float:
    """Tell which share of a class's first `traces` stories ends wrong."""
    bad = sum(1 for _ in wrong(RECEIVERS[receiver], of.worlds, range(first_seed, first_seed + traces)))
    return bad / traces


def _ends_wrong(make: Making) -> Callable[[Sent], bool]:
    return lambda sent: end_of(make(), sent) != sent.snapshot


def explain(receiver: str, of: Class, traces: int, at_most: int) -> Iterator[str]:
    """Yield wrong traces of a class in the notation, cut down to what is needed to go wrong."""
    plain = RECEIVERS[receiver]
    for _, (seed, story) in zip(range(at_most), wrong(plain, of.worlds, range(traces)), strict=False):
        make = plain
        if receiver == "engine" and of.worlds[seed % len(of.worlds)].warm:
            make = partial(_knowing, story.habits)
        _, sent = shrunk(story, _ends_wrong(make))
        got, truth = (",".join(sorted(names)) or "nobody" for names in (end_of(make(), sent), sent.snapshot))
        yield f"{of.name} {seed}: {show(sent.pages)}\n    ends as {got}, not {truth}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=2000, help="stories a class (400 users: a tenth)")
    parser.add_argument("--class", dest="only", action="append", choices=[each.name for each in CLASSES])
    parser.add_argument("--receiver", default="engine", choices=RECEIVERS)
    parser.add_argument(
        "--show", type=int, default=0, metavar="N", help="print N wrong traces a class, shrunk"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    chosen = [each for each in CLASSES if not options.only or each.name in options.only]
    if options.show:
        for each in chosen:
            for line in explain(options.receiver, each, options.traces, options.show):
                print(line)
        return
    counts = [options.traces // 10 if each.worlds[0].users > 100 else options.traces for each in chosen]
    with ProcessPoolExecutor(options.jobs) as pool:
        rates = list(pool.map(partial(rate, options.receiver), chosen, counts))
    rows = [
        (each.name, count, f"{share:.2%}", "" if each.stated is None else f"{each.stated:.2%}", each.note)
        for each, count, share in zip(chosen, counts, rates, strict=True)
    ]
    print(
        tabulate(
            rows, ["class", "traces", "wrong", "stated", "what"], tablefmt="github", disable_numparse=True
        )
    )


if __name__ == "__main__":
    main()
