"""Reconciles in the middle of traffic, against the model of the sender.

A reconcile reads who is in the cohort at that time; the sender goes on to compare with its last successful
export. Where the two are the same, everything ends right, whatever fails before and after. Where they are
not, somebody who changes twice between two successful exports is in no diff: such a person ends as read.
"""

from __future__ import annotations

from random import Random

import pytest

from app.cohorts.epochs import Entry
from tests.depth import examples
from tests.model.chance import World, random_story
from tests.model.classes import CLASSES
from tests.model.engine import EngineReceiver
from tests.model.sender import Sender
from tests.model.story import Story
from tests.model.wire import SentPage

STORIES = examples(200)
QUIET_S = 1500.0
BY_NAME = {each.name: each.worlds[0] for each in CLASSES}
WARM_UP = 6


class Told:
    """A story, sync by sync: what arrives, who is in the cohort, and who is in the sender's snapshot."""

    def __init__(self, world: World, seed: int) -> None:
        self.story, self.sent = random_story(world, seed)
        sender = Sender(Story((), self.story.habits, self.story.page_size))
        self.syncs: list[tuple[list[SentPage], frozenset[str], frozenset[str]]] = []
        at = 0.0
        for step in self.story.steps:
            at += step.gap_s
            pages = sender.sync(step, at)
            self.syncs.append((pages, step.cohort, sender.snapshot or frozenset()))


def drift(engine: EngineReceiver, random: Random, people: list[str], count: int) -> None:
    """Let the copy differ in so many people, as if it had been restored from yesterday."""
    for person in random.sample(people, count):
        entry = engine.entries.setdefault(person, Entry())
        owners = engine.machine.by_epoch()
        engine.machine.release(entry, owners)
        entry.now = entry.was = not entry.now
        entry.epoch, entry.also = 0, False
        engine.machine.count += 1 if entry.now else -1
        if entry.gone:
            del engine.entries[person]


def ends_right(world: World, seed: int, *, slow: bool, fresh: bool) -> bool:
    """Tell a story with a drift and a reconcile in it; say whether it ends as Mixpanel says.

    Args:
        world, seed: which story.
        slow: the reading goes on through one more sync.
        fresh: it reads who is in the cohort at that time, not who is in the sender's snapshot.
    """
    told, random = Told(world, seed), Random(seed)
    engine = EngineReceiver(None)
    place = random.randrange(WARM_UP, len(told.syncs) - 1)
    people = [f"u{number}" for number in range(world.users)]
    for index, (pages, cohort, snapshot) in enumerate(told.syncs):
        for page in pages:
            engine.receive(page)
        if index == place:
            drift(engine, random, people, 3)
            engine.begin_reconcile()
            read = cohort if fresh else snapshot
        if index == place + slow:
            engine.end_reconcile(read)
    engine.quiet_until(told.sent.pages[-1].at + QUIET_S)
    return engine.members() == told.sent.snapshot


@pytest.mark.parametrize(
    "name",
    [
        *("documented", "documented-restarts", "no-failures", "two-ids", "parallel", "remove-first", "cold"),
        *("outages", "refreshes", "expired", "constant-id"),
    ],
)
def test_a_drift_is_repaired_whatever_fails_before_and_after(name: str) -> None:
    world = BY_NAME[name]
    assert [seed for seed in range(STORIES) if not ends_right(world, seed, slow=False, fresh=False)] == []


@pytest.mark.parametrize("name", ["documented", "no-failures", "two-ids", "parallel", "outages"])
def test_a_sync_in_the_middle_of_the_reading_wins_and_the_drift_is_repaired(name: str) -> None:
    world = BY_NAME[name]
    assert [seed for seed in range(STORIES) if not ends_right(world, seed, slow=True, fresh=False)] == []


def test_reading_ahead_of_the_sender_goes_wrong_only_for_who_changes_back_before_a_success() -> None:
    """A third of the syncs fail here, and a tenth of the people change between two."""
    world = BY_NAME["documented"]
    bad = sum(not ends_right(world, seed, slow=False, fresh=True) for seed in range(STORIES))
    assert bad <= 0.06 * STORIES
    assert all(ends_right(BY_NAME["no-failures"], seed, slow=False, fresh=True) for seed in range(STORIES))


def test_whoever_joined_early_makes_no_full_list_of_the_next_diff() -> None:
    """Far more are named again than are not, and all of them were brought in by the reconcile."""
    engine = EngineReceiver(None)
    joined = tuple(f"j{number}" for number in range(20))
    engine.receive(SentPage("0", "members", 1, 1, ("a", "b"), 0.0))
    engine.begin_reconcile()
    assert engine.end_reconcile(("a", *joined)) == {"b", *joined}
    engine.receive(SentPage("1", "add_members", 1, 1, joined, 1800.0))
    engine.receive(SentPage("1", "remove_members", 1, 1, (), 1801.0))
    assert engine.members() == {"a", *joined}
    assert engine.machine.contradicted == 0


def test_who_was_let_go_early_may_be_removed_without_an_alarm() -> None:
    engine = EngineReceiver(None)
    engine.receive(SentPage("0", "members", 1, 1, ("a", "b"), 0.0))
    engine.begin_reconcile()
    engine.end_reconcile(("a",))
    engine.receive(SentPage("1", "add_members", 1, 1, (), 1800.0))
    engine.receive(SentPage("1", "remove_members", 1, 1, ("b", "stranger"), 1801.0))
    assert engine.machine.contradicted == 1, "one of two removals had no reconcile before it"


def test_what_a_failed_sync_did_is_not_taken_back_from_whom_a_reconcile_corrected() -> None:
    """The failed sync let `b` go, the reconcile brought `b` back: neither evidence nor fall concerns it."""
    engine = EngineReceiver(dict.fromkeys(("torn", "add", "remove", "restart"), 1))
    engine.receive(SentPage("0", "members", 1, 1, ("a", "b"), 0.0))
    engine.receive(SentPage("1", "add_members", 1, 2, ("c",), 1800.0))
    engine.receive(SentPage("1", "remove_members", 1, 1, ("b",), 1801.0))
    engine.begin_reconcile()
    assert engine.end_reconcile(("a", "b")) == {"b", "c"}
    engine.receive(SentPage("2", "add_members", 1, 1, ("d",), 3600.0))
    engine.receive(SentPage("2", "remove_members", 1, 1, (), 3601.0))
    assert engine.members() == {"a", "b", "d"}
    engine.check_counts()
