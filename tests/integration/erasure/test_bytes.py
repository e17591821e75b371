"""Plant people in every place, erase them, and look for their bytes."""

import io
import json
import logging
from contextlib import redirect_stderr, redirect_stdout
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from app.lanes.work import PROFILES
from app.store import keys
from app.web.factory import build_web
from tests.integration.erasure.world import LINKING, Mixpanel, P, World, forms

PEOPLE = (
    "0f3c1a5e-7b0d-4c55-9e21-6a1b2c3d4e5f",
    "erika.mustermann+relay@example.com",
    "Jürgen-Ñandú-名前-🦜",
    "x" * 40 + "-long-" + "y" * 200,
    'we"ird\\id with\ttab',
)
OTHERS = ("11111111-2222-4333-8444-555555555555", "bystander@example.com", "someone-else")
DEVICE = "9a8b7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d"


def plant(world: World, mixpanel: Mixpanel) -> None:
    everybody = [*PEOPLE, *OTHERS]
    world.run(PROFILES.name)  # the lanes of rules' links begin here
    # the ledger: links that were made
    mixpanel.status = 200
    world.submit("identity", *(world.link(each, f"made-{at}") for at, each in enumerate(everybody)))
    world.submit("identity", world.link(PEOPLE[0], DEVICE))
    assert world.run(LINKING).kind == "drained"
    mixpanel.status = 503
    # members, lists of whom attempts changed, the log, rooms, links on their way
    world.accept(world.page([*OTHERS], session="s1"))
    world.run("apply")
    world.accept(world.page(everybody, session="s2", action="add_members", total=2))
    world.run("apply")
    for lane in ("identity", "profiles"):
        world.run(lane)
    friend = orjson.loads(world.page([OTHERS[0]], session="s3"))
    friend["parameters"]["members"][0]["friend"] = PEOPLE[1]
    # outboxes, and a window of each that is open
    for each in everybody:
        event: Any = {
            "event": "Seen",
            "properties": {"distinct_id": each, "time": 1_767_225_600, "$insert_id": "i"},
        }
        world.submit(
            "events", event, {**event, "properties": {**event["properties"], "distinct_id": OTHERS[0]}}
        )
        world.submit(
            "profiles",
            {"$distinct_id": each, "$add": {"n": 1}},
            {"$distinct_id": OTHERS[1], "$set": {"by": each}},
        )
        world.submit("groups", {"$group_key": "club", "$group_id": "one", "$set": {"owner": each}})
        world.submit("identity", world.link(each, f"more-{each}"))
        world.letter({"$distinct_id": each, "$set": {"a": 1}})
        world.letter({"$distinct_id": OTHERS[2], "$set": {"friend": each}})
        world.letter({"$distinct_id": OTHERS[2], "$set": {"a": 1}}, reason=f"the id {each} is refused")
    world.letter({"$distinct_id": OTHERS[2], "$set": {"kept": True}})
    for lane in ("events-outbox", "profiles-outbox", "groups-outbox", "identity-outbox"):
        world.run(lane)
    for each in everybody:
        world.submit(
            "profiles",
            {"$distinct_id": each, "$add": {"n": 1}},
            {"$distinct_id": OTHERS[1], "$set": {"by": each}},
        )
    # pages set aside, one of them escaped by its sender, one that is no JSON
    world.plant_aside(world.page(everybody, session="a1"))
    world.plant_aside(json.dumps(orjson.loads(world.page(everybody, session="a2"))).encode())
    world.plant_aside(b"{broken " + PEOPLE[1].encode())
    world.plant_reading(everybody)
    world.redis.hset(keys.destination(P, PROFILES.name), "paused_ms", 1)
    # a page that waits, and the log held by readers that are away
    world.accept(orjson.dumps(friend))
    world.accept(world.page(everybody, session="s4"))


def found(world: World, ids: tuple[str, ...]) -> set[tuple[str, str]]:
    """Name where any form of an id stands in Redis."""
    wanted = {form: each for each in ids for form in forms(each)}
    return {(name, wanted[form]) for name, value in world.everything() for form in wanted if form in value}


def on_disk(world: World, ids: tuple[str, ...]) -> set[tuple[str, str]]:
    """Name which files under the server's directory hold any form of an id."""
    files = [file for file in world.server.directory.rglob("*") if file.is_file()]
    texts = {file.name: file.read_bytes() for file in files}
    assert any(len(text) > 1000 for text in texts.values())
    return {
        (name, each) for name, text in texts.items() for each in ids for form in forms(each) if form in text
    }


def test_nothing_of_erased_people_is_left_anywhere(
    world: World, mixpanel: Mixpanel, caplog: pytest.LogCaptureFixture
) -> None:
    plant(world, mixpanel)
    gone = (*PEOPLE, f"$device:{DEVICE}")
    before = found(world, gone)
    places = {name.replace(P, "") for name, _ in before}
    for part in ("m:7", "log", "dead", "aside", "inbox", "outbox:events", "outbox:profiles", "outbox:groups",
                 "outbox:identity", "waiting:profiles", "identity:ids", "identity:clusters", "resync:read",
                 "resync:gone", "resync:n", "named"):  # fmt: skip
        assert any(part in place for place in places), f"nobody was planted in {part}"
    assert {each for _, each in on_disk(world, gone)} == set(gone)
    printed = io.StringIO()
    caplog.set_level(logging.DEBUG)
    with redirect_stdout(printed), redirect_stderr(printed):
        web = build_web(world.services).test_client()
        _, token = world.services.tokens.create("t", ("admin",), 1)
        asked = []
        for each in PEOPLE:
            answer = web.delete(
                f"/api/v1/projects/{P}/people/{quote(each, safe='')}",
                headers={"Authorization": f"Bearer {token.reveal()}"},
            )
            assert answer.status_code == 202, answer.text
            asked.append(answer.get_json()["id"])
        for _ in range(6):
            world.hurry()
            world.run_all()
        states = {world.state(each).state for each in asked}
        assert states == {"draining"}, "the log's readers are away"
        left = {name for name, _ in found(world, gone)}
        assert {name.split("}")[1] for name in left} <= {
            ":log",
            ":inbox",
            *(f":erasure:n:{number + 1}" for number in range(len(PEOPLE))),
        }
        mixpanel.status = 200
        world.redis.hdel(keys.destination(P, PROFILES.name), "paused_ms")
        ended = [world.through(each) for each in asked]
    assert found(world, gone) == set()
    assert on_disk(world, gone) == set()
    sent = b"".join(mixpanel.sent[1:])  # the first made the links
    logs = printed.getvalue() + caplog.text
    for each in gone:
        assert not any(form in sent for form in forms(each) if len(form) > 16 or not each[0].isdigit()), each
        assert each not in logs
    assert {state.persisted for state in ended} == {"aof"}
    # the others are where they were
    assert world.members() == set(OTHERS)
    assert sum(b'"kept":true' in value for _, value in world.everything()) == 1
    kept = [
        value for name, value in world.everything() if name.endswith(":aside") and OTHERS[1].encode() in value
    ]
    assert len(kept) == 2
    assert int(world.redis.hget(keys.resync(P, 77), "kept")) == len(OTHERS)
    told = [entry for entry in world.services.changelog.read(P, 0, 10**6) if entry.kind == "person.erased"]
    assert len(told) == len(PEOPLE)
