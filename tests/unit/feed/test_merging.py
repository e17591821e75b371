from collections.abc import Sequence
from itertools import pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from app.cohorts.changelog import Entry
from app.feed.event import Event
from app.feed.filter import EVERYTHING, EventFilter
from app.feed.merging import events_of
from app.feed.position import BEGINNING, Position
from app.feed.types import ENTERED, EXITED, GAP, TYPES, UPDATED
from tests.depth import DEPTH
from tests.unit.destinations.entries import entry
from tests.unit.feed.logs import Subscriber, entries, implied, story, told_story

BATCHES = st.sampled_from([1, 2, 3, 5, 1000])
FILTERS = st.builds(
    EventFilter,
    types=st.sets(st.sampled_from(sorted(TYPES)), max_size=3).map(frozenset),
    cohorts=st.lists(st.sampled_from(["1", "Trial*", "VIP"]), max_size=2).map(tuple),
)


def read(
    log: Sequence[Entry],
    after: Position = BEGINNING,
    chosen: EventFilter = EVERYTHING,
    batch: int = 1000,
    upto: Position | None = None,
) -> list[Event]:
    """Read as the feed does: from `after.next` on, up to `upto`."""
    last = len(log) if upto is None else upto.sequence
    part = [each for each in log if after.next <= each.sequence <= last]
    return list(events_of("1", part, after, chosen, batch=batch, upto=upto))


@settings(max_examples=60 * DEPTH)
@given(entries(), st.integers(0, 2**32))
def test_a_subscriber_that_is_cut_off_anywhere_has_exactly_the_members_that_the_log_implies(
    log: list[Entry], seed: int
) -> None:
    chance = Random(seed)
    subscriber, at = Subscriber(), BEGINNING
    while events := read(log, at, batch=chance.choice((1, 2, 3, 5, 1000))):
        number = chance.randint(1, len(events))
        for event in events[:number]:
            subscriber.take(event)
        confirmed = chance.randint(0, number)  # what it took but did not confirm comes again
        if confirmed:
            last = events[confirmed - 1]
            at = chance.choice((last.after, Position.parse(last.id)))
    assert subscriber.membership == implied(log)


@given(entries(), BATCHES)
def test_nobodys_changes_change_places_and_each_is_told_once(log: list[Entry], batch: int) -> None:
    assert told_story(read(log, batch=batch)) == story(log)


@given(entries(), FILTERS, BATCHES, st.data())
def test_going_on_behind_an_event_with_another_batch_tells_the_rest_and_nothing_twice(
    log: list[Entry], chosen: EventFilter, batch: int, data: st.DataObject
) -> None:
    events = read(log, chosen=chosen, batch=batch)
    cut = data.draw(st.integers(0, len(events)))
    at = events[cut - 1].position if cut else BEGINNING
    rest = read(log, at, chosen, data.draw(BATCHES))
    assert told_story([*events[:cut], *rest]) == told_story(read(log, chosen=chosen))


@given(entries(), FILTERS, BATCHES)
def test_ids_are_unique_and_ascend(log: list[Entry], chosen: EventFilter, batch: int) -> None:
    positions = [event.position for event in read(log, chosen=chosen, batch=batch)]
    assert len({str(each) for each in positions}) == len(positions)
    assert all(one.is_before(other) for one, other in pairwise(positions))


@given(entries(), FILTERS, BATCHES)
def test_an_event_comes_again_as_it_was_however_the_log_has_grown(
    log: list[Entry], chosen: EventFilter, batch: int
) -> None:
    before = BEGINNING
    for event in read(log, chosen=chosen, batch=batch):
        assert read(log, before, chosen, batch, upto=event.after) == [event]
        assert read(log, before, chosen, batch, upto=Position.parse(event.id)) == [event]
        before = event.after


@given(entries(), BATCHES)
def test_a_filter_leaves_out_and_changes_nothing_else(log: list[Entry], batch: int) -> None:
    for name in (ENTERED, EXITED, UPDATED):
        wanted = read(log, chosen=EventFilter(frozenset({name})), batch=batch)
        everything = [event for event in read(log, batch=batch) if event.type == name]
        assert told_story(wanted) == told_story(everything)


@given(entries(), BATCHES)
def test_no_event_has_more_members_than_wanted(log: list[Entry], batch: int) -> None:
    for event in read(log, batch=batch):
        assert len(event.data.get("members", ())) <= batch


def test_small_entries_of_a_sync_are_told_together() -> None:
    log = [entry(1, entered="ab"), entry(2, entered="cd"), entry(3, exited="a"), entry(4, entered="ef")]
    told = read(log, batch=4)
    assert [event.id for event in told] == ["g1-2-2", "g1-3-1", "g1-4-2"]
    assert [len(event.data["members"]) for event in told] == [4, 1, 2]


def test_entries_that_would_be_too_much_together_are_told_apart() -> None:
    told = read([entry(1, entered="ab"), entry(2, entered="cd")], batch=3)
    assert [event.id for event in told] == ["g1-1-2", "g1-2-2"]


def test_an_entry_with_changes_of_several_kinds_is_told_apart_from_its_neighbours() -> None:
    told = read([entry(1, entered="ab"), entry(2, entered="c", exited="x"), entry(3, exited="y")])
    assert [event.id for event in told] == ["g1-1-2", "g1-2-1", "g1-2-2", "g1-3-1"]


def test_what_is_left_of_an_entry_is_told_apart_from_its_neighbours() -> None:
    told = read([entry(1, entered="ab"), entry(2, entered="c")], Position("g1", 1, 1))
    assert [event.id for event in told] == ["g1-1-2", "g1-2-1"]


def test_behind_the_id_of_a_lifecycle_event_it_does_not_come_again() -> None:
    log = [entry(1, kind="sync.started"), entry(2, kind="sync.completed")]
    assert [event.id for event in read(log, Position.parse("g1-1-1"))] == ["g1-2-1"]


def test_up_to_a_gap_nothing_behind_it_comes() -> None:
    log = [entry(1, entered="a"), entry(4, kind="sync.completed")]
    told = list(events_of("1", log[1:], Position("g1", 1), upto=Position("g1", 4, 0)))
    assert [event.type for event in told] == [GAP]


def test_what_is_told_again_to_mixpanel_alone_lies_between_and_does_not_part_them() -> None:
    log = [entry(1, entered="ab"), entry(2, entered="xyz", cause="rename"), entry(3, entered="cd")]
    told = read(log)
    assert [event.id for event in told] == ["g1-3-2"]
    assert [each["distinct_id"] for each in told[0].data["members"]] == list("abcd")


def test_a_large_entry_is_told_in_parts_whose_ids_count_its_changes() -> None:
    log = [entry(7, entered="abcde", exited="xy")]
    told = list(events_of("1", log, Position("g1", 6), batch=2))
    assert [event.id for event in told] == ["g1-7-2", "g1-7-4", "g1-7-5", "g1-7-7"]
    assert [str(event.after) for event in told] == ["g1-7-2", "g1-7-4", "g1-7-5", "g1-7"]


def test_a_missing_entry_is_told_as_a_gap_before_what_comes_next() -> None:
    log = [entry(1, entered="a"), entry(5, entered="b")]
    told = list(events_of("1", log, BEGINNING))
    assert [(event.type, event.id) for event in told] == [
        (ENTERED, "g1-1-1"),
        (GAP, "g1-5-0"),
        (ENTERED, "g1-5-1"),
    ]
    assert told[1].data == {"from": 2, "to": 4, "reason": "trimmed", "generation": "g1"}
    assert [event.id for event in events_of("1", log[1:], told[1].position)] == ["g1-5-1"]


def test_of_an_entry_that_was_told_in_part_the_rest_is_missing_once_it_is_gone() -> None:
    told = list(events_of("1", [entry(6, entered="b")], Position("g1", 5, 3)))
    assert told[0].data["from"] == 5
    assert told[0].data["to"] == 5


def test_a_gap_is_told_whatever_is_wanted() -> None:
    chosen = EventFilter(frozenset({EXITED}), ("2",))
    assert [event.type for event in events_of("1", [entry(2, entered="b")], BEGINNING, chosen)] == [GAP]


def test_what_other_consumers_of_the_log_are_missing_is_not_told() -> None:
    assert not read([entry(1, kind="gap", cohort=("", ""), detail={"consumer": "x"})])


def test_a_kind_that_a_newer_relay_writes_is_told_all_the_same() -> None:
    assert [event.type for event in read([entry(1, kind="moon.full", detail={"a": 1})])] == [
        "cohort-relay.moon.full"
    ]
