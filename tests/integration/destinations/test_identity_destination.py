"""Links reach Mixpanel once each, in order where order matters, and nothing irreversible goes unasked."""

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from redis import Redis

from app.destinations.identity.clusters import Clusters
from app.destinations.identity.ledger import Ledger, StaleLedgerError
from app.destinations.identity.mover import LinkMover
from app.destinations.identity.pending import PendingLinks
from app.destinations.identity.refusals import REMEMBERED_MS
from app.lanes.lanes import LaneLost
from app.sandbox.machine import machine_of
from app.store import keys
from config.links import IdManagement, LinkRule
from config.rules import Rule, RuleSet
from tests.integration.destinations.identity_world import (
    DEVICE_RULES,
    Events,
    IdentityWorld,
    Sandboxed,
    Switch,
    sandbox_of,
    serve,
)
from tests.unit.destinations.identity_links import ANON, link

MakeWorld = Callable[[IdManagement], tuple[IdentityWorld, Sandboxed]]


@pytest.fixture
def make_world(redis_client: Redis) -> Iterator[MakeWorld]:
    switch = Switch()
    end = serve(switch)
    made: list[tuple[IdentityWorld, Sandboxed]] = []

    def make(system: IdManagement) -> tuple[IdentityWorld, Sandboxed]:
        world = IdentityWorld(redis_client, switch.url, system)
        switch.now = sandbox_of(system, world.project.id)
        made.append((world, switch.now))
        return made[-1]

    yield make
    for world, sandbox in made:
        world.close()
        machine_of(sandbox.app).close()
    end()


def names(sandbox: Sandboxed) -> list[list[str]]:
    """The events of each request."""
    return [sorted({event["event"] for event in events}) for events in sandbox.requests]


def inner(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event["properties"].items() if name not in ("time", "$insert_id")}


def test_a_rules_links_become_events_with_both_ids(make_world: MakeWorld) -> None:
    world, sandbox = make_world("simplified")
    world.run("identity")
    world.change({"$device:d1": {"user_id": "u1", "device_id": "d1"}, "x": {"user_id": "u2"}})
    assert world.run().kind == "drained"
    (event,) = sandbox.events
    assert event["event"] == "Identity linked"
    assert inner(event) == {
        "token": "token-1",
        "distinct_id": "u1",
        "$user_id": "u1",
        "$device_id": "d1",
        "$source": "relay",
    }
    assert event["properties"]["time"] == int(world.now_s * 1000)
    assert sandbox.canonical("$device:d1") == "u1"
    assert world.cluster("u1") == world.cluster("$device:d1") == {"u1", "$device:d1"}


def test_links_that_mixpanel_took_are_told_in_the_log_once_each(make_world: MakeWorld) -> None:
    world, _ = make_world("simplified")
    world.run("identity")
    world.change({"$device:d1": {"user_id": "u1", "device_id": "d1"}})
    world.submit(link("device", "u2", "d2"), link("device", "u3", "d2"))  # the second is refused
    world.run()
    world.submit(link("device", "u2", "d2"))
    world.change({}, {"$device:d1": {"user_id": "u1", "device_id": "d1"}})
    world.run()
    told = [entry for entry in world.changelog.read(world.project.id, 0, 1000) if entry.kind != "changes"]
    assert [entry.kind for entry in told if entry.kind != "batch.dead_lettered"] == ["identity.linked"]
    (entry,) = (entry for entry in told if entry.kind == "identity.linked")
    by_api, by_rule = sorted(entry.detail["links"], key=lambda each: "rule" in each["why"])
    assert by_api == {"verb": "device", "distinct_ids": ["u2", "$device:d2"], "why": by_api["why"]}
    assert by_rule["distinct_ids"] == ["u1", "$device:d1"]
    assert by_rule["why"] == {
        "rule": "rules[0].links[0]",
        "cohort_id": "1",
        "session_id": "s",
        "sequence": 1,
    }


@pytest.mark.parametrize(
    ("system", "one", "event", "properties"),
    [
        (
            "original",
            link("identify", "u1", ANON[0]),
            "$identify",
            {"$identified_id": "u1", "$anon_id": ANON[0]},
        ),
        ("original", link("alias", "u1", "a1"), "$create_alias", {"alias": "a1"}),
        ("legacy", link("alias", "u1", "a1"), "$create_alias", {"alias": "a1"}),
        ("original", link("merge", "u1", "u2"), "$merge", {"$distinct_ids": ["u1", "u2"]}),
    ],
)
def test_each_verb_is_the_event_that_its_system_knows(
    make_world: MakeWorld, system: IdManagement, one: Any, event: str, properties: dict[str, Any]
) -> None:
    world, sandbox = make_world(system)
    world.submit(one)
    world.run("identity-outbox")
    (sent,) = sandbox.events
    common = {"token": "token-1", "distinct_id": "u1", "$source": "relay"}
    assert (sent["event"], inner(sent)) == (event, {**common, **properties})
    assert sandbox.cluster("u1") == world.cluster("u1") == {"u1", one.second}
    account = "Basic " + base64.b64encode(b"account:hush").decode()
    assert sandbox.credentials == [account]


def test_a_link_is_made_once_however_often_it_is_asked_for(make_world: MakeWorld) -> None:
    world, sandbox = make_world("simplified")
    world.run("identity")
    member = {"m": {"user_id": "u1", "device_id": "d1"}}
    for _ in range(3):
        world.change(member, member)
        world.submit(link("device", "u1", "d1"), link("device", "u1", "d1", time_ms=5_000_000))
        world.run()
    assert len(sandbox.events) == 1
    assert world.recorded() == 1
    assert world.letters() == []


def test_a_rules_link_that_was_made_does_not_even_go_through_the_outbox(make_world: MakeWorld) -> None:
    world, _ = make_world("simplified")
    world.run("identity")
    member = {"m": {"user_id": "u1", "device_id": "d1"}}
    world.change(member)
    world.run()
    world.change({}, member)
    world.run("identity")
    assert world.outboxes.end(world.project.id, "identity") == 1
    assert world.mover_cursor.position(world.project.id).cursor == world.changelog.end(world.project.id)


@pytest.mark.parametrize("cause", ["reasserted", "rename"])
def test_what_was_linked_when_it_entered_is_not_linked_again(make_world: MakeWorld, cause: str) -> None:
    world, sandbox = make_world("simplified")
    world.run("identity")
    world.change({"m": {"user_id": "u1", "device_id": "d1"}}, cause=cause)
    world.change({}, exited=["m"])
    world.run()
    assert sandbox.requests == []


def test_refused_links_become_dead_letters_with_their_reason_and_are_never_sent(
    make_world: MakeWorld,
) -> None:
    world, sandbox = make_world("original")
    good = [link("identify", "u1", ANON[0]), link("alias", "u1", "a1")]
    bad = {
        link("device", "u1", "d1"): "verb_unavailable",
        link("identify", "u1", "d1"): "not_uuid4",
        link("identify", "u2", ANON[0]): "anon_id_merged",
        link("alias", "u2", "a1"): "alias_taken",
        link("alias", "a1", "u1"): "alias_cycle",
        link("merge", "u1", "u2", allow_merge=False): "merge_not_allowed",
        link("alias", "u1", "anonymous"): "refused_id",
    }
    world.submit(*good, *bad)
    assert world.run().kind == "drained"
    assert {one: reason for code, reason, one in world.letters() if code == "link_refused"} == bad
    assert len(world.letters()) == len(bad)
    assert len(sandbox.events) == 2
    assert set(sandbox.outcomes()) == {"merged"}
    world.run()
    assert len(world.letters()) == len(bad)


def test_no_request_has_two_verbs(make_world: MakeWorld) -> None:
    world, sandbox = make_world("original")
    world.submit(
        link("identify", "u1", ANON[0]),
        link("alias", "u2", "a2"),
        link("merge", "u3", "u4"),
        link("identify", "u5", ANON[1]),
    )
    world.run()
    assert sorted(names(sandbox)) == [["$create_alias"], ["$identify"], ["$merge"]]
    assert len(sandbox.events) == 4


def test_links_that_build_on_each_other_go_one_after_the_other(make_world: MakeWorld) -> None:
    world, sandbox = make_world("original")
    world.submit(
        link("alias", "a", "b"), link("alias", "b", "c"), link("merge", "c", "d"), link("alias", "x", "y")
    )
    world.run()
    assert [len(events) for events in sandbox.requests] == [2, 1, 1]
    assert sandbox.cluster("a") == world.cluster("d") == {"a", "b", "c", "d"}


def test_what_mixpanel_refuses_is_a_dead_letter_and_what_depends_on_it_is_judged_without_it(
    make_world: MakeWorld,
) -> None:
    world, sandbox = make_world("original")
    machine = machine_of(sandbox.app)
    machine.identities.set_alias("b", "somebody")  # made by others: the relay cannot know
    world.submit(link("alias", "a", "b"), link("alias", "b", "c"), link("alias", "a", "b"))
    world.run()
    assert [(code, one) for code, _, one in world.letters()] == [("refused", link("alias", "a", "b"))]
    assert world.cluster("a") == {"a"}
    assert world.cluster("b") == {"b", "c"} == sandbox.cluster("b")


def test_a_lost_answer_is_asked_for_again_and_changes_nothing_more(make_world: MakeWorld) -> None:
    world, sandbox = make_world("original")
    faults = ["unanswered"]
    sandbox.fault = lambda events: faults.pop() if faults and events[0]["event"] == "$identify" else None
    world.submit(link("identify", "u1", ANON[0]), link("alias", "u1", "a1"))
    assert world.run("identity-outbox").kind == "later"
    assert world.cluster("u1") == {"u1", "a1"}
    assert world.run("identity-outbox").kind == "drained"
    identifies = [events for events in sandbox.requests if events[0]["event"] == "$identify"]
    assert len(identifies) == 2
    assert identifies[0] == identifies[1]
    assert world.cluster("u1") == {"u1", ANON[0], "a1"} == sandbox.cluster("u1")
    assert world.letters() == []
    position = world.cursor.position(world.project.id)
    assert (position.cursor, position.delivered) == (1, 2)


def test_dead_letters_are_written_once_although_the_window_is_tried_again(make_world: MakeWorld) -> None:
    world, sandbox = make_world("original")
    machine_of(sandbox.app).identities.set_alias("taken", "somebody")
    faults = iter([None, "lost", "lost", None, None, None])
    sandbox.fault = lambda _events: next(faults)
    world.submit(link("alias", "u1", "anon"), link("alias", "u1", "taken"), link("merge", "u1", "u2"))
    while world.run("identity-outbox").kind == "later":
        pass
    assert sorted((code, reason) for code, reason, _ in world.letters() if code == "link_refused") == [
        ("link_refused", "refused_id")
    ]
    assert len(world.letters()) == 2
    assert sum(event["event"] == "$create_alias" for event in sandbox.events) == 1


def test_thousands_of_devices_of_one_user_take_a_few_requests(make_world: MakeWorld) -> None:
    world, sandbox = make_world("simplified")
    some = [link("device", "u1", f"d{number}") for number in range(2_600)]
    world.submit(*some[:1300])
    world.submit(*some[1300:])
    world.run()
    assert len(sandbox.requests) == 2
    clusters = world.ledger.clusters(world.project.id, ["u1", "$device:d0", "$device:d2599"])
    assert clusters.size("u1") == 2_601 == len(sandbox.cluster("u1"))
    assert clusters.target("$device:d0") == clusters.target("$device:d2599") == "u1"
    cluster = clusters.of("u1")
    assert cluster is not None
    assert (cluster.parts, len(cluster.edges)) == (5, 100)
    older = [world.ledger.older(world.project.id, cluster.number, part) for part in range(cluster.parts)]
    devices = [edge.second for part in (*older, cluster.edges) for edge in part]
    assert sorted(devices) == sorted(f"$device:{one.second}" for one in some)
    assert world.ledger.older(world.project.id, cluster.number, cluster.parts) == []


def test_the_ledger_says_since_when_and_why(make_world: MakeWorld) -> None:
    world, _ = make_world("simplified")
    world.run("identity")
    world.change({"m": {"user_id": "u1", "device_id": "d1"}})
    world.submit(link("device", "u1", "d2", time_ms=1_767_000_000_000))
    world.run()
    cluster = world.ledger.clusters(world.project.id, ["u1"]).of("u1")
    assert cluster is not None
    whys = world.ledger.whys(world.project.id, [edge.why for edge in cluster.edges])
    told = {edge.second: (edge.time_ms, edge.sequence, dict(whys[edge.why])) for edge in cluster.edges}
    assert told == {
        "$device:d1": (
            int(world.now_s * 1000),
            1,
            {"rule": "rules[0].links[0]", "cohort_id": "1", "session_id": "s"},
        ),
        "$device:d2": (1_767_000_000_000, 0, {"api": "t1"}),
    }


def test_a_full_outbox_holds_the_log(make_world: MakeWorld) -> None:
    world, sandbox = make_world("simplified")
    world.build(cap_bytes=500)
    world.run("identity")
    for number in range(5):
        world.change({f"m{number}": {"user_id": f"u{number}", "device_id": f"d{number}"}})
    outcome = world.run("identity")
    assert (outcome.kind, outcome.reason) == ("later", "the identity outbox is full")
    position = world.mover_cursor.position(world.project.id)
    assert (position.state, position.cursor) == ("retrying", 2)
    while position.cursor < world.changelog.end(world.project.id):
        world.run()
        position = world.mover_cursor.position(world.project.id)
    world.run()
    assert len(sandbox.events) == 5
    assert (position.state, position.reason) == ("ok", "")


def test_what_is_larger_than_the_outbox_goes_through_it_alone(make_world: MakeWorld) -> None:
    world, sandbox = make_world("simplified")
    world.build(cap_bytes=1)
    world.run("identity")
    world.change({"m": {"user_id": "u1", "device_id": "d1"}, "n": {"user_id": "u2", "device_id": "d2"}})
    world.run()
    assert len(sandbox.events) == 2


def test_rules_render_ids_from_the_member_and_the_project(make_world: MakeWorld) -> None:
    world, sandbox = make_world("original")
    rules = RuleSet(
        (
            Rule(cohort_names=("Other",), links=DEVICE_RULES.rules[0].links),
            Rule(
                links=(
                    LinkRule("alias", "{distinct_id}", "{project_id}-{member[nr]}"),
                    LinkRule("merge", "{distinct_id}", "{member[other]}", allow_merge=True),
                )
            ),
        )
    )
    world.project = replace(world.project, rules=rules)
    world.run("identity")
    world.change({"u1": {"nr": 7, "other": "u2"}, "u3": {}})
    world.run()
    assert sandbox.cluster("u1") == {"u1", "u2", f"{world.project.id}-7"}
    assert world.letters() == []


def test_nothing_of_the_index_is_left_once_the_outbox_is_empty(make_world: MakeWorld) -> None:
    world, _ = make_world("original")
    project_id = world.project.id
    world.submit(
        link("identify", "u1", ANON[0]), link("alias", "u1", "anon"), link("identify", "u1", ANON[0])
    )
    assert world.pending.pending(project_id, ["u1", ANON[0], "u2"]) == {"u1", ANON[0]}
    world.submit(link("merge", "u2", "u3"))
    assert world.pending.pending(project_id, ["u1", "u2"]) == {"u1", "u2"}
    world.run()
    assert world.pending.pending(project_id, ["u1", "u2"]) == set()
    assert not world.redis.exists(keys.identity_pending(project_id))


def test_ids_are_let_go_wave_by_wave_but_not_those_of_a_later_submission(make_world: MakeWorld) -> None:
    world, sandbox = make_world("original")
    project_id = world.project.id
    seen: list[frozenset[str]] = []

    def look(_events: Events) -> None:
        if not seen:
            world.submit(link("alias", "x", "x2"))
        seen.append(world.pending.pending(project_id, ["a", "b", "c", "x", "y"]))

    sandbox.fault = look
    world.submit(link("alias", "x", "y"), link("alias", "a", "b"), link("alias", "b", "c"))
    world.run("identity-outbox")
    assert seen[:2] == [{"a", "b", "c", "x", "y"}, {"b", "c", "x"}]
    assert world.pending.pending(project_id, ["a", "b", "c", "x", "y"]) == set()


def test_the_links_of_an_id_that_wait_can_be_listed(make_world: MakeWorld) -> None:
    world, _ = make_world("original")
    project_id = world.project.id
    some = [link("alias", "u1", f"a{number}") for number in range(5)]
    world.submit(*some[:3], link("alias", "u2", "b"))
    world.submit(*some[3:])
    assert world.pending.links(project_id, "u1", 1_000) == (some, True)
    assert world.pending.links(project_id, "u1", 1) == (some, True)  # a read gives four submissions
    assert world.pending.links(project_id, "u3", 1_000) == ([], True)


@pytest.mark.parametrize("system", ["original", "legacy"])
def test_no_cluster_passes_five_hundred_ids(make_world: MakeWorld, system: IdManagement) -> None:
    world, sandbox = make_world(system)
    some = [link("alias", "u1", f"a{number}") for number in range(510)]
    world.submit(*some)
    world.run()
    assert len(sandbox.cluster("u1")) == len(world.cluster("u1")) == 500
    assert [(code, reason, one) for code, reason, one in world.letters()] == [
        ("link_refused", "cluster_full", one) for one in some[499:]
    ]
    assert set(sandbox.outcomes()) == {"merged"}
    assert len(sandbox.requests) == 1


def test_two_large_clusters_become_one_and_every_id_leads_to_it(make_world: MakeWorld) -> None:
    world, sandbox = make_world("original")
    world.submit(*(link("alias", "u1", f"a{number}") for number in range(249)))
    world.submit(*(link("alias", "u2", f"b{number}") for number in range(249)))
    world.run()
    world.submit(link("merge", "u2", "u1"), link("alias", "b7", "last"))
    world.run()
    assert len(world.cluster("a3")) == 500
    assert world.cluster("a3") == world.cluster("b248") == world.cluster("u2") == sandbox.cluster("u1")
    assert [reason for _, reason, _ in world.letters()] == ["cluster_full"]


# --- one step of it at a time


def test_what_is_written_down_already_changes_nothing(make_world: MakeWorld) -> None:
    world, _ = make_world("original")
    lane = world.take("identity-outbox")
    some = [link("identify", "u1", ANON[0]), link("merge", "u1", "u2")]
    for _ in range(2):
        world.ledger.record(lane, [*some, *some])
    assert world.recorded() == 2
    assert world.cluster("u2") == {"u1", ANON[0], "u2"}


def test_clusters_that_meet_in_one_step_are_one_in_the_end(make_world: MakeWorld) -> None:
    world, _ = make_world("original")
    lane = world.take("identity-outbox")
    world.ledger.record(lane, [link("merge", "a", "b"), link("merge", "c", "d"), link("merge", "d", "b")])
    assert world.cluster("a") == world.cluster("c") == {"a", "b", "c", "d"}
    assert world.redis.hlen(keys.identity_clusters(world.project.id, 0)) == 1


def test_a_ledger_that_changed_since_it_was_read_is_not_written(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, _ = make_world("original")
    lane = world.take("identity-outbox")
    read = world.ledger.clusters

    def changed_meanwhile(project_id: str, nodes: Any) -> Clusters:
        found = read(project_id, nodes)
        Ledger(world.redis).record(lane, [link("merge", "u1", "other")])
        return found

    monkeypatch.setattr(world.ledger, "clusters", changed_meanwhile)
    with pytest.raises(StaleLedgerError):
        world.ledger.record(lane, [link("merge", "u1", "u2")])
    monkeypatch.undo()
    assert world.cluster("u1") == {"u1", "other"}
    assert world.cluster("u2") == {"u2"}


@pytest.mark.parametrize("step", ["record", "release", "run", "move"])
def test_who_lost_the_lane_writes_nothing(make_world: MakeWorld, step: str) -> None:
    world, _ = make_world("simplified")
    name = "identity" if step in ("run", "move") else "identity-outbox"
    world.run("identity")
    world.change({"m": {"user_id": "u1", "device_id": "d1"}})
    world.submit(link("device", "u2", "d2"))
    old, linked = world.take(name), link("device", "u1", "d1")
    world.pending.catch_up(world.project.id)
    world.redis.hincrby(keys.lane(world.project.id, name), "token", 1)
    steps: dict[str, Callable[[], object]] = {
        "record": lambda: world.ledger.record(old, [linked]),
        "release": lambda: world.pending.release(old, ["u2"], 1),
        "run": lambda: world.runners["identity"].run(old, world.project, time.monotonic() + 1.0),
        "move": lambda: cast("LinkMover", world.runners["identity"])._move_links(old, 0, 1, [linked]),
    }
    with pytest.raises(LaneLost):
        steps[step]()
    assert world.cluster("u1") == {"u1"}
    assert world.pending.pending(world.project.id, ["u2"]) == {"u2"}
    assert world.outboxes.end(world.project.id, "identity") == 1


def test_the_same_entry_is_never_moved_twice(make_world: MakeWorld) -> None:
    world, _ = make_world("simplified")
    world.run("identity")
    world.change({"m": {"user_id": "u1", "device_id": "d1"}})
    world.run("identity")
    mover = world.runners["identity"]
    assert isinstance(mover, LinkMover)
    with pytest.raises(LaneLost):
        mover._move_links(world.take("identity"), 0, 1, [link("device", "u1", "d1")])
    assert world.outboxes.end(world.project.id, "identity") == 1


def test_who_indexes_late_notes_nothing_that_is_over(make_world: MakeWorld) -> None:
    world, _ = make_world("original")
    project_id = world.project.id
    world.submit(link("alias", "a", "b"))
    waiting = world.outboxes.read(project_id, "identity", 0, 10)
    world.run()
    world.pending._index_some(project_id, 0, waiting)
    assert not world.redis.exists(keys.identity_pending(project_id))


def test_who_asks_in_the_middle_of_a_window_leaves_nothing_behind(make_world: MakeWorld) -> None:
    world, sandbox = make_world("original")
    project_id = world.project.id

    def look(_events: Events) -> None:
        if len(sandbox.requests) == 2:
            PendingLinks(world.redis, world.outboxes).pending(project_id, ["a"])

    sandbox.fault = look
    world.submit(link("alias", "a", "b"), link("alias", "b", "c"))
    world.run()
    assert len(sandbox.requests) == 2
    assert not world.redis.exists(keys.identity_pending(project_id))


def test_a_submission_of_many_links_is_indexed_whole(make_world: MakeWorld) -> None:
    world, _ = make_world("simplified")
    some = [link("device", f"u{number}", f"d{number}") for number in range(2_000)]
    world.submit(*some)
    ids = [node for one in some for node in one.nodes]
    assert world.pending.pending(world.project.id, [*ids, "who"]) == set(ids)
    world.run()
    assert world.pending.pending(world.project.id, ids) == set()


def refusing(make_world: MakeWorld, updates: int) -> IdentityWorld:
    """A member whose device is another user's changes again and again."""
    world, _ = make_world("simplified")
    world.project = replace(world.project, rules=DEVICE_RULES)
    world.run()
    world.change({"a": {"user_id": "u1", "device_id": "d"}})
    world.run()
    for number in range(updates):
        world.change({}, {"b": {"user_id": "u2", "device_id": "d", "plan": number}})
        world.run()
    return world


def test_a_rules_link_that_is_refused_again_and_again_is_told_once(make_world: MakeWorld) -> None:
    world = refusing(make_world, updates=10)
    assert [code for code, _, _ in world.letters()] == ["link_refused"]


def test_a_refused_link_is_judged_anew_a_week_later_and_by_another_system(make_world: MakeWorld) -> None:
    world = refusing(make_world, updates=1)
    world.project = replace(world.project, service_account=None)
    world.change({}, {"b": {"user_id": "u2", "device_id": "d"}})
    world.run()
    assert len(world.letters()) == 2
    key = keys.identity_refused(world.project.id)
    for digest in cast("list[bytes]", world.redis.zrange(key, 0, -1)):
        world.redis.zincrby(key, -REMEMBERED_MS, digest)
    for _ in range(2):
        world.change({}, {"b": {"user_id": "u2", "device_id": "d"}})
        world.run()
    assert len(world.letters()) == 3
    assert world.redis.zcard(key) == 1


def test_a_refused_link_that_a_service_submits_is_judged_each_time(make_world: MakeWorld) -> None:
    world = refusing(make_world, updates=1)
    for _ in range(2):
        world.submit(link("device", "u2", "d"))
        world.run()
    assert len(world.letters()) == 3


def test_a_link_that_mixpanel_itself_refused_is_not_sent_at_the_next_update(make_world: MakeWorld) -> None:
    world, sandbox = make_world("original")
    world.project = replace(
        world.project, rules=RuleSet((Rule(links=(LinkRule("alias", "{distinct_id}", "{member[email]}"),)),))
    )
    machine_of(sandbox.app).identities.set_alias("mail", "somebody")  # made by others
    world.run()
    for number in range(3):
        world.change({}, {"b": {"email": "mail", "plan": number}})
        world.run()
    assert [code for code, _, _ in world.letters()] == ["refused"]
    assert len(sandbox.requests) == 1
