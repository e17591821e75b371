"""How an erasure goes: who comes meanwhile, crashes, readers of the log, what Mixpanel is asked."""

import time
from dataclasses import replace
from typing import Any

import orjson
import pytest

from app.erasure.erasures import NoDeletionAccess
from app.erasure.state import ErasureState
from app.feed.position import BEGINNING
from app.feed.types import GAP
from app.lanes.lanes import LaneLost
from app.lanes.work import APPLY
from app.mixpanel.deletions import Deletions
from app.mixpanel.errors import OverBudget
from app.store import keys
from tests.integration.erasure.world import ERASING, LINKING, Mixpanel, P, World

ANN, BOB = "0f3c1a5e-7b0d-4c55-9e21-6a1b2c3d4e5f", "bob@example.com"


def sync(world: World, *ids: str, session: str = "s1", action: str = "members") -> None:
    world.accept(world.page(ids, session=session, action=action))
    world.run(APPLY.name)


def test_it_is_asked_for_once_while_it_is_under_way(world: World) -> None:
    first = world.erase(ANN)
    again, new = world.services.erasures.ask(world.project, ANN)
    assert (again.id, new) == (first.id, False)
    ended = world.through(first.id)
    assert ended.state == "completed"
    assert world.erase(ANN).id != first.id


def test_a_page_that_was_on_its_way_does_not_bring_the_person_back(world: World, mixpanel: Mixpanel) -> None:
    mixpanel.status = 200
    sync(world, BOB)
    world.accept(world.page([ANN, BOB], session="s2"))
    state = world.erase(ANN)
    world.through(state.id)
    sync(world, ANN, BOB, session="s3", action="add_members")
    assert world.members() == {BOB}
    told = world.services.changelog.read(P, 0, 10**6)
    assert not any(who == ANN for entry in told for who, _ in entry.entered)


def test_once_the_time_is_up_whom_mixpanel_names_is_somebody_new(world: World, mixpanel: Mixpanel) -> None:
    mixpanel.status = 200
    sync(world, ANN, BOB)
    state = world.erase(ANN)
    world.through(state.id)
    key = keys.erasure(P, int(state.id.rpartition("-")[2]))
    world.redis.hset(key, "until_ms", int(time.time() * 1000) - 1)
    world.redis.zadd(keys.erasures_due(P), {state.id.rpartition("-")[2]: 0})
    world.run(ERASING)
    assert set(world.redis.hkeys(keys.suppressed(P))) == {b"salt"}
    assert not world.redis.exists(keys.erasures_open(P), keys.erasures_due(P))
    assert world.state(state.id).ended
    sync(world, ANN, BOB, session="s9")
    assert world.members() == {ANN, BOB}


def test_counts_are_right_and_a_removal_afterwards_is_no_surprise(world: World, mixpanel: Mixpanel) -> None:
    mixpanel.status = 200
    sync(world, ANN, BOB)
    world.through(world.erase(ANN).id)
    cohort = world.services.cohorts.get(P, "7")
    assert cohort is not None
    assert cohort.members == 1
    assert int(world.redis.hget(keys.cohort(P, "7"), "entries") or 0) == 1
    sync(world, ANN, session="s2", action="remove_members")
    assert world.members() == {BOB}


def test_all_ids_that_were_linked_go_with_the_one_that_is_named(world: World, mixpanel: Mixpanel) -> None:
    mixpanel.status = 200
    world.submit("identity", world.link(ANN, "phone"), world.link(ANN, "tablet"), world.link(BOB, "desk"))
    world.run(LINKING)
    world.accept(world.page([ANN, BOB, "$device:phone", "$device:tablet"], linked=False))
    world.run(APPLY.name)
    ended = world.through(world.erase("$device:phone").id)
    assert ended.ids == 3
    assert ended.counts["memberships"] == 3
    assert ended.counts["identities"] == 3
    assert world.members() == {BOB}
    links = world.services.links.clusters(P, [ANN, BOB])
    assert links.of(ANN) is None
    assert links.ids(BOB) == [BOB, "$device:desk"]
    world.submit("identity", world.link(BOB, "second"))
    assert world.run(LINKING).kind == "drained"  # the ledger takes new links


def test_others_records_keep_their_order_and_are_sent_once(world: World, mixpanel: Mixpanel) -> None:
    """A window is open, whose records have marks by their places; what is erased from it moves nothing."""
    adds = [{"$distinct_id": who, "$add": {"n": at}} for at, who in enumerate((BOB, ANN, BOB, ANN, BOB), 1)]
    world.submit("profiles", *adds)
    mixpanel.status = 429
    world.run("profiles-outbox")
    sent = len(mixpanel.sent)
    ended = world.erase(ANN)
    for _ in range(4):
        world.hurry()
        world.run_all()
    mixpanel.status = 200
    world.through(ended.id)
    bodies = [record for body in mixpanel.sent[sent:] for record in orjson.loads(body)]
    assert [record["$add"]["n"] for record in bodies] == [1, 3, 5]
    assert not any(record["$distinct_id"] == ANN for record in bodies)
    depth = world.services.outboxes.depth(P, "profiles")
    assert (depth.records, depth.bytes) == (0, 0)


def test_subscribers_who_come_later_are_told_of_a_gap_although_it_was_read_a_moment_ago(
    world: World, mixpanel: Mixpanel
) -> None:
    mixpanel.status = 200
    sync(world, ANN, BOB)
    feed = world.services.feed
    assert ANN in str(feed.read(P, BEGINNING).events)
    world.through(world.erase(ANN).id)
    told = feed.read(P, BEGINNING).events
    assert ANN not in str(told)
    assert any(event.type == GAP for event in told)


def test_consumer_groups_keep_their_place_and_what_they_have_pending(
    world: World, mixpanel: Mixpanel
) -> None:
    mixpanel.status = 200
    sync(world, ANN, BOB)
    sync(world, BOB, "carl", session="s2", action="add_members")
    log = keys.log(P)
    world.redis.xgroup_create(log, "mine", id="0")
    taken = world.redis.xreadgroup("mine", "c1", {log: ">"}, count=3)
    ids = [id_ for _, entries in taken for id_, _ in entries]
    world.redis.xack(log, "mine", ids[0])
    state = world.erase(ANN)
    for _ in range(8):
        world.hurry()
        world.run_all()
    pending = world.redis.xpending_range(log, "mine", "-", "+", 10)
    assert {each["message_id"] for each in pending} == set(ids[1:])
    world.redis.xack(log, "mine", *ids[1:])
    rest = world.redis.xreadgroup("mine", "c2", {log: ">"}, count=100)
    read = [id_ for _, entries in rest for id_, _ in entries]
    assert read
    assert read[0] == f"{int(ids[-1].split(b'-')[0]) + 1}-0".encode()
    world.redis.xack(log, "mine", *read)
    assert world.through(state.id).ended
    names = {group["name"] for group in world.redis.xinfo_groups(log)}
    assert b"mine" in names


@pytest.mark.parametrize("writes", range(1, 40, 4))
def test_killed_at_any_write_it_goes_on_to_the_same_end(
    world: World, mixpanel: Mixpanel, writes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixpanel.status = 200
    world.submit("identity", world.link(ANN, "phone"))
    world.run(LINKING)
    sync(world, ANN, BOB)
    world.letter({"$distinct_id": ANN, "$set": {"a": 1}})
    world.submit("profiles", {"$distinct_id": ANN, "$set": {"a": 1}}, {"$distinct_id": BOB, "$set": {"a": 1}})
    state = world.erase(ANN)
    write, left = world.services.lanes.write, [writes]

    def dying(*arguments: object) -> object:
        left[0] -= 1
        if left[0] == 0:
            raise LaneLost("killed")
        return write(*arguments)  # type: ignore[arg-type]  # passed on as they are

    monkeypatch.setattr(world.services.lanes, "write", dying)
    for _ in range(60):
        world.hurry()
        try:
            world.run_all()
        except LaneLost:
            world.redis.hset(keys.lane(P, APPLY.name), "state", "idle")
        if world.state(state.id).ended:
            break
    ended = world.state(state.id)
    assert ended.ended
    assert world.members() == {BOB}
    assert not any(ANN.encode() in value for _, value in world.everything())
    assert (
        len([entry for entry in world.services.changelog.read(P, 0, 10**6) if entry.kind == "person.erased"])
        == 1
    )


# --- Mixpanel --------------------------------------------------------------------------------


def test_a_budget_that_is_free_in_a_moment_is_waited_for_and_the_deletion_filed(
    world: World, mixpanel: Mixpanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixpanel.status, mixpanel.task = 200, "STARTED"
    sync(world, ANN)
    waits = [0.0, 0.0004, 0.0009]
    file = Deletions.file

    def busy_at_first(*args: Any) -> str:
        if waits:
            raise OverBudget(waits.pop())
        return file(*args)

    monkeypatch.setattr(Deletions, "file", busy_at_first)
    state = world.erase(ANN, mixpanel=True)
    for _ in range(500):
        world.hurry()
        world.run_all()
        if world.state(state.id).state in {"deleting", "completed"}:
            break
        time.sleep(0.01)
    now: ErasureState = world.state(state.id)
    assert (now.state, now.mixpanel.state) == ("deleting", "filed")


def test_mixpanels_own_deletion_is_filed_once_nothing_can_be_sent_any_more(
    world: World, mixpanel: Mixpanel
) -> None:
    mixpanel.status = 200
    world.submit("identity", world.link(ANN, "phone"))
    world.run(LINKING)
    sync(world, ANN, BOB)
    mixpanel.filing, mixpanel.task = [503, 429, 201], "STARTED"
    state = world.erase(ANN, mixpanel=True)
    for _ in range(200):  # Redis takes its time to write its files
        world.hurry()
        world.run_all()
        if world.state(state.id).state == "deleting":
            break
        time.sleep(0.01)
    now: ErasureState = world.state(state.id)
    assert (now.state, now.mixpanel.state) == ("deleting", "filed")
    assert [sorted(ids) for ids in mixpanel.deletions] == [sorted([ANN, "$device:phone"])]
    assert set(mixpanel.headers) == {"Bearer oauth-secret"}
    assert not any(ANN.encode() in value for _, value in world.everything())
    mixpanel.task = "SUCCESS"
    ended = world.through(state.id)
    assert ended.mixpanel.state == "completed"
    assert list(ended.mixpanel.tasks.values()) == ["SUCCESS"]


def test_what_mixpanel_refuses_is_told_and_keeps_no_ids(world: World, mixpanel: Mixpanel) -> None:
    mixpanel.filing = [403]
    ended = world.through(world.erase(ANN, mixpanel=True).id)
    assert ended.mixpanel.state == "failed"
    assert "403" in ended.mixpanel.reason
    assert not any(ANN.encode() in value for _, value in world.everything())


def test_without_a_token_nothing_is_filed_nor_erased(world: World) -> None:
    with pytest.raises(NoDeletionAccess):
        world.services.erasures.ask(replace(world.project, oauth_token=None), ANN, mixpanel=True)
    assert not world.redis.exists(keys.erasures_open(P))
    assert world.services.erasures.page(P) == ([], None)
