"""The apply lane as a whole: known mistakes of other receivers, poison, back-pressure, renames, updates."""

from collections.abc import Iterator
from typing import Any, cast
from unittest import mock

import pytest

from app.cohorts.applying.pages import Pages
from app.cohorts.applying.run import MAX_TRIES
from app.cohorts.inbox import Waiting
from app.cohorts.members import usable_members
from app.lanes.lanes import LaneLost
from app.store import keys
from tests.integration.cohorts.invariants import check, check_drained, stored
from tests.integration.cohorts.relay import BEGIN_S, P, Relay, replayed
from tests.integration.cohorts.test_scripts import everything
from tests.model.notation import parse
from tests.model.wire import SentPage
from tests.redis_server import RedisServer

PAGES = "app.cohorts.applying.pages"


@pytest.fixture
def relay(redis_server: RedisServer) -> Iterator[Relay]:
    redis_server.flush()
    relay = Relay(redis_server)
    yield relay
    check(relay)
    relay.close()


def page(action: Any, *members: str, session: str = "0", number: int = 1, total: int = 1) -> SentPage:
    return SentPage(session, action, number, total, members, at=0.0)


def quarantined(relay: Relay) -> list[dict[bytes, bytes]]:
    found = cast("list[tuple[bytes, dict[bytes, bytes]]]", relay.plain.xrange(keys.quarantine(P)))
    return [fields for _, fields in found]


# --- the two mistakes that other receivers make ----------------------------------------------------------


def test_a_full_list_takes_out_who_left_unnoticed(relay: Relay) -> None:
    relay.send(*parse("M0{a,b,c} | M1{a}"))
    assert relay.members() == {"a"}


def test_a_full_list_is_over_when_every_page_came_not_when_the_last_number_did(relay: Relay) -> None:
    first, *rest = parse("M0{a,b,c,d} | M1[1/3]{a} M1[3/3]{d} M1[2/3]{b}")
    relay.send(first)
    for sent, expected in zip(rest, ("abcd", "abcd", "abd"), strict=True):
        relay.send(sent)
        assert relay.members() == set(expected)
    assert [each for entry in relay.log() for each in entry.exited] == ["c"]


# --- members of all kinds --------------------------------------------------------------------------------


def test_a_page_of_thousands_goes_in_chunks_and_buckets_stay_small(relay: Relay) -> None:
    people = [f"person-{number}" for number in range(2600)]
    relay.accept(page("add_members", *people))
    relay.drain()
    assert relay.members() == set(people)
    record, _ = stored(relay.plain, "c")
    assert record.buckets == -(-2600 // 90)
    entries = [entry for entry in relay.log() if entry.kind == "changes"]
    assert [len(entry.entered) for entry in entries] == [250] * 10 + [100]


def test_bad_members_are_quarantined_with_their_place_and_reason_and_the_others_applied(relay: Relay) -> None:
    relay.accept(page("members", "a", "b"), broken=[None, {}, {"mixpanel_distinct_id": ""}])
    relay.drain()
    assert relay.members() == {"a", "b"}
    assert [(each[b"index"], each[b"reason"]) for each in quarantined(relay)] == [
        (b"2", b"member_not_an_object"),
        (b"3", b"distinct_id_missing"),
        (b"4", b"distinct_id_empty"),
    ]
    cohort = relay.cohorts.get(P, "c")
    assert cohort is not None
    assert cohort.quarantined == 3


def test_only_a_changed_property_is_an_update(relay: Relay) -> None:
    for session, plan in enumerate(("basic", "basic", "pro", "pro")):
        relay.accept(page("members", "a", session=str(session)), plan=plan)
        relay.drain()
    told = [(entry.entered, entry.updated) for entry in relay.log() if entry.kind == "changes"]
    assert told == [((("a", {"plan": "basic"}),), ()), ((), (("a", {"plan": "pro"}),))]


def test_a_rename_names_every_member_again_and_a_late_page_of_an_older_export_does_not_undo_it(
    relay: Relay,
) -> None:
    relay.accept(page("members", "a", "b"), name="VIP")
    relay.accept(page("members", "a", session="1", total=2), name="VIP")
    relay.accept(page("members", "a", "b", session="2"), name="Gold")
    relay.accept(page("members", "b", session="1", number=2, total=2), name="VIP")
    relay.drain()
    renamed = [entry for entry in relay.log() if entry.cause == "rename" and entry.kind == "changes"]
    assert {distinct_id for entry in renamed for distinct_id, _ in entry.entered} == {"a", "b"}
    assert {entry.old_names for entry in renamed} == {("VIP",)}
    kinds = [entry.kind for entry in relay.log()]
    assert kinds.count("cohort.renamed") == kinds.count("cohort.rename_completed") == 1
    cohort = relay.cohorts.get(P, "c")
    assert cohort is not None
    assert (cohort.name, cohort.renaming_from) == ("Gold", ())


@pytest.mark.parametrize("before", ["", "M0{a,b,c}"])
def test_a_page_of_tens_of_thousands_needs_no_command_with_as_many_arguments(
    relay: Relay, before: str
) -> None:
    relay.send(*parse(before))
    people = [f"person-{number}" for number in range(20_000)]
    relay.accept(page("members", *people, session="1"))
    relay.drain()
    assert relay.members() == set(people)
    record, _ = stored(relay.plain, "c")
    assert record.buckets >= -(-20_000 // 90)


# --- when things go wrong --------------------------------------------------------------------------------


def test_a_poison_page_is_set_aside_after_its_tries_and_the_lane_goes_on(relay: Relay) -> None:
    relay.accept(page("members", "a", "b"))
    relay.drain()
    relay.accept(page("add_members", "poison", session="1"))
    relay.accept(page("remove_members", "b", session="1"))

    def poisoned(members: list[Any], refused: frozenset[str]) -> Any:
        if any(member["mixpanel_distinct_id"] == "poison" for member in members):
            raise ZeroDivisionError
        return usable_members(members, refused)

    with mock.patch(f"{PAGES}.usable_members", poisoned):
        for _ in range(MAX_TRIES - 1):
            assert relay.run().kind == "later"
            assert relay.members() == {"a", "b"}
        relay.drain()
    assert relay.members() == {"a"}
    assert relay.plain.xlen(keys.set_aside(P)) == 1
    check_drained(relay.plain)


def test_a_page_that_names_poison_counts_as_seen_and_its_cohort_is_suspect(relay: Relay) -> None:
    relay.accept(page("members", "a", "b"))
    relay.drain()
    relay.accept(page("add_members", "poison", session="1"))
    relay.accept(page("remove_members", "b", session="1"))
    with mock.patch(f"{PAGES}.Pages._name", side_effect=_poison(relay)):
        for _ in range(MAX_TRIES - 1):
            assert relay.run().kind == "later"
        relay.drain()
    assert relay.members() == {"a"}
    cohort = relay.cohorts.get(P, "c")
    assert cohort is not None
    assert "set aside" in cohort.suspect
    assert [entry.session_id for entry in relay.log() if entry.kind == "sync.completed"] == ["0", "1"]
    check_drained(relay.plain)


def _poison(relay: Relay) -> Any:
    name = Pages._name
    pages = relay.apply._pages

    def poisoned(work: Any, record: Any, attempt: Any, came: Any, people: dict[bytes, Any]) -> Any:
        if b"poison" in people:
            raise ZeroDivisionError
        return name(pages, work, record, attempt, came, people)

    return poisoned


def test_applying_waits_while_the_destinations_are_too_far_behind(relay: Relay) -> None:
    relay.send(*parse("M0{a} | M1{a,b}"))
    before = everything(relay.plain)
    with mock.patch("app.cohorts.applying.run.MAX_BACKLOG", relay.changelog.backlog(P) - 1):
        relay.accept(page("members", "c", session="2"))
        outcome = relay.run()
        assert outcome.kind == "later"
        assert relay.members() == {"a", "b"}
        assert everything(relay.plain)[keys.log(P).encode()] == before[keys.log(P).encode()]
        relay.plain.hset(keys.destination(P, "profiles"), "cursor", relay.changelog.end(P))
        relay.run()
    relay.plain.delete(keys.destination(P, "profiles"))
    relay.drain()
    assert relay.members() == {"c"}


@pytest.mark.parametrize("where", ["_membership.entries", "_known", "_split"])
def test_a_worker_that_freezes_within_a_page_changes_nothing_once_another_took_over(
    relay: Relay, where: str
) -> None:
    relay.send(*parse("M0{a,b,c}"))
    relay.accept(page("members", *(f"p{number}" for number in range(400)), session="1"))
    pages: Any = relay.apply._pages
    owner: Any = pages
    *path, name = where.split(".")
    for part in path:
        owner = getattr(owner, part)
    original = getattr(owner, name)
    after: list[dict[bytes, bytes]] = []

    def freezing(*args: Any, **options: Any) -> Any:
        setattr(owner, name, original)
        found = original(*args, **options) if where != "_split" else None
        other = Relay.__new__(Relay)
        other.__dict__.update(relay.__dict__)
        other.build()
        other.drain()
        after.append(everything(relay.plain))
        return found if where != "_split" else original(*args, **options)

    setattr(owner, name, freezing)
    with pytest.raises(LaneLost):
        relay.run()
    assert after == [everything(relay.plain)]
    assert relay.members() == replayed(relay.log()) == {f"p{number}" for number in range(400)}


def test_a_page_and_its_copies_in_the_inbox_count_once(relay: Relay) -> None:
    sent = page("members", "a")
    assert [relay.accept(sent) for _ in range(3)] == [True, False, False]
    assert relay.inbox.depth(P)["pages"] == 1
    relay.drain()
    assert relay.accept(sent)
    relay.drain()
    assert relay.members() == {"a"}
    assert sum(entry.changes for entry in relay.log()) == 1


def test_waiting_pages_are_read_in_order(relay: Relay) -> None:
    for number in range(10):
        relay.clock.now_s = BEGIN_S + number
        relay.accept(page("members", "a", session=str(number)))
    waiting: list[Waiting] = relay.inbox.waiting(P, 100)
    assert [each.at_ms for each in waiting] == [int((BEGIN_S + number) * 1000) for number in range(10)]
