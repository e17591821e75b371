"""What the API tells of projects, cohorts, members and syncs, over what the apply lane has written."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
import redis

from app.cohorts.buckets import bucket_of, wanted
from app.cohorts.epochs import Entry
from app.cohorts.packing import pack_entry, pack_id
from app.feed.position import Position
from app.feed.reading import Feed
from app.feed.types import ENTERED, EXITED
from app.store import keys
from app.web.api import PREFIX
from config.projects import Projects
from tests.integration.cohorts.relay import PROJECT, P
from tests.integration.cohorts.relay import Relay as Pipeline
from tests.integration.web.api.relay import NDJSON, Relay, fault, problem, services
from tests.integration.web.services import BLOG, SHOP, settings
from tests.model.notation import parse
from tests.model.wire import COHORT
from tests.redis_server import RedisServer

COHORTS = f"/projects/{P}/cohorts"
ONE = f"{COHORTS}/{COHORT}"


@pytest.fixture
def pipeline(redis_server: RedisServer, redis_url: str) -> Iterator[Pipeline]:
    made = Pipeline(redis_server)
    yield made
    made.close()


@pytest.fixture
def api(pipeline: Pipeline, redis_client: redis.Redis, redis_url: str) -> Relay:
    return Relay(services(redis_client, settings(redis_url, projects=Projects([PROJECT]))))


def get(api: Relay, path: str, status: int = 200, **headers: str) -> dict[str, Any]:
    answer = api.call("GET", path, headers={"Authorization": api.token("read"), **headers})
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.get_json()
    return told


def lines(api: Relay, path: str) -> list[dict[str, Any]]:
    answer = api.call("GET", path, headers={"Authorization": api.token("read"), "Accept": NDJSON})
    assert (answer.status_code, answer.mimetype) == (200, NDJSON)
    return [orjson.loads(line) for line in answer.text.splitlines()]


def pages(api: Relay, path: str, name: str, **query: int) -> list[list[dict[str, Any]]]:
    """Go through a list page by page."""
    asked = "&".join(f"{key}={value}" for key, value in query.items())
    found, cursor = [], ""
    while True:
        told = get(api, f"{path}?{asked}{cursor}")
        found.append(told[name])
        if told["next_cursor"] is None:
            return found
        cursor = f"&cursor={told['next_cursor']}"


def test_a_token_is_told_of_the_projects_that_it_reaches(relay: Relay) -> None:
    for project_id, reached in ((None, [SHOP, BLOG]), (BLOG, [BLOG])):
        token = relay.token("read", project_id=project_id)
        told = relay.call("GET", "/projects", headers={"Authorization": token}).get_json()
        assert [each["id"] for each in told["projects"]] == reached
    assert told["projects"][0] == {
        "id": BLOG,
        "name": "blog",
        "region": "us",
        "id_management": "simplified",
    }


def test_a_cohort_is_told_as_it_stands(api: Relay, pipeline: Pipeline) -> None:
    pipeline.send(*parse("M0{a,b,c} | M1{a,b}"))
    told = get(api, ONE)
    assert (told["id"], told["name"], told["members"], told["doubts"]) == (COHORT, "VIP", 2, [])
    assert told["last_synced"].endswith("Z")
    assert get(api, COHORTS) == {"cohorts": [told], "next_cursor": None}


def test_a_cohort_that_may_differ_says_why(api: Relay, pipeline: Pipeline, redis_client: redis.Redis) -> None:
    pipeline.send(*parse("M0{a}"))
    redis_client.hset(keys.cohort(P, COHORT), "suspect", "a page was lost")
    assert get(api, ONE)["doubts"] == ["a page was lost"]


def test_cohorts_come_page_by_page_in_the_order_of_their_ids(api: Relay, redis_client: redis.Redis) -> None:
    ids = [str(number) for number in (7, 9, 10, 70, 100)]
    for cohort_id in ids:
        redis_client.sadd(keys.cohorts(P), cohort_id)
        redis_client.hset(keys.cohort(P, cohort_id), mapping={"name": "same", "members": 1, "entries": 1})
    found = pages(api, COHORTS, "cohorts", limit=2)
    assert [[each["id"] for each in page] for page in found] == [["7", "9"], ["10", "70"], ["100"]]


def test_members_come_page_by_page_with_the_sync_that_brought_them(api: Relay, pipeline: Pipeline) -> None:
    everybody = [f"person-{number}" for number in range(400)]
    pipeline.send(*parse("M0{" + ",".join(everybody) + "}"))
    found = [member for page in pages(api, f"{ONE}/members", "members", limit=30) for member in page]
    assert sorted(member["distinct_id"] for member in found) == sorted(everybody)
    assert len({(member["since"], member["session_id"]) for member in found}) == 1
    assert found[0]["since"].endswith("Z")
    assert lines(api, f"{ONE}/members") == found
    assert lines(api, f"{ONE}/members?limit=5") == found[:5]


def test_members_come_once_while_syncs_go_on_and_buckets_are_split(api: Relay, pipeline: Pipeline) -> None:
    stay = [f"stay-{number}" for number in range(200)]
    pipeline.send(*parse("M0{" + ",".join(stay) + "}"))
    found: list[str] = []
    cursor, sync = "", 0
    while True:
        told = get(api, f"{ONE}/members?limit=20{cursor}")
        found += [member["distinct_id"] for member in told["members"]]
        if told["next_cursor"] is None:
            break
        cursor = f"&cursor={told['next_cursor']}"
        sync += 1
        new = ",".join(f"new-{sync}-{number}" for number in range(150))
        gone = ",".join(f"new-{sync - 1}-{number}" for number in range(70)) if sync > 1 else ""
        pages_ = parse(f"+{sync}{{{new}}} -{sync}{{{gone}}}")
        pipeline.send(*(replace(page, at=page.at + 1_800 * sync) for page in pages_))
    assert len(found) == len(set(found))
    assert set(stay) <= set(found)
    assert get(api, ONE)["members"] > 1_000


def test_a_list_and_the_events_behind_its_position_make_the_members_of_now(
    api: Relay, pipeline: Pipeline
) -> None:
    people = [f"p{number}" for number in range(120)]
    pipeline.send(*parse("M0{" + ",".join(people) + "}"))
    had: set[str] = set()
    positions: set[str] = set()
    cursor, sync = "", 0
    while True:
        told = get(api, f"{ONE}/members?limit=10{cursor}")
        had |= {member["distinct_id"] for member in told["members"]}
        positions.add(told["position"])
        if told["next_cursor"] is None:
            break
        cursor = f"&cursor={told['next_cursor']}"
        sync += 1
        gone, new = people[5 * sync : 5 * sync + 5], [f"new-{sync}"]
        some = parse(f"+{sync}{{{','.join(new)}}} -{sync}{{{','.join(gone)}}}")
        pipeline.send(*(replace(page, at=page.at + 1_800 * sync) for page in some))
    assert len(positions) == 1
    feed, at = Feed(pipeline.plain), Position.parse(positions.pop())
    window = feed.read(P, at, batch=7, max_events=10_000)
    for event in window.events:
        ids = {member["distinct_id"] for member in event.data.get("members", ())}
        had = had | ids if event.type == ENTERED else had - ids if event.type == EXITED else had
    assert not window.more
    assert had == pipeline.members()
    assert len(had) < 120


def test_lines_say_in_a_header_where_they_are_true(api: Relay, pipeline: Pipeline) -> None:
    pipeline.send(*parse("M0{a,b}"))
    headers = {"Authorization": api.token("read"), "Accept": NDJSON}
    answer = api.call("GET", f"{ONE}/members", headers=headers)
    assert answer.headers["Feed-Position"] == str(Feed(pipeline.plain).end(P))


@pytest.mark.parametrize(
    ("query", "field"),
    [("limit=0", "limit"), ("limit=5001", "limit"), ("cursor=x", "cursor"), ("cursor=", "cursor")],
)
def test_a_wrong_page_is_refused(api: Relay, pipeline: Pipeline, query: str, field: str) -> None:
    pipeline.send(*parse("M0{a}"))
    answer = api.call("GET", f"{ONE}/members?{query}", headers={"Authorization": api.token("read")})
    assert fault(answer, 422, "invalid_query")["field"] == field


@pytest.mark.parametrize("cursor", ["!", "YQ==", "_w", "%00", "é"])
@pytest.mark.parametrize("name", ["", f"/{COHORT}/sessions"])
def test_a_cursor_that_is_none_is_refused_or_the_end(
    api: Relay, pipeline: Pipeline, name: str, cursor: str
) -> None:
    pipeline.send(*parse("M0{a}"))
    answer = api.call("GET", f"{COHORTS}{name}?cursor={cursor}", headers={"Authorization": api.token("read")})
    assert answer.status_code in (200, 422)


@pytest.mark.parametrize("name", ["", "/members", "/sessions"])
def test_a_cohort_that_nobody_heard_of_is_404(api: Relay, name: str) -> None:
    answer = api.call("GET", f"{COHORTS}/404{name}", headers={"Authorization": api.token("read")})
    problem(answer, 404, "unknown_cohort")


def test_syncs_say_which_pages_came_and_which_are_missing(api: Relay, pipeline: Pipeline) -> None:
    pipeline.send(*parse("M0{a,b} | M1[1/4]{a} M1[3/4]{b}"))
    newest, first = (page[0] for page in pages(api, f"{ONE}/sessions", "sessions", limit=1))
    assert (first["state"], newest["state"]) == ("completed", "open")
    assert first["calls"] == [{"action": "members", "seen": 1, "announced": 1, "missing": []}]
    assert newest["calls"] == [{"action": "members", "seen": 2, "announced": 4, "missing": [2, 4]}]
    assert newest["first_page"] <= newest["newest_page"]


def test_of_very_many_missing_pages_the_first_hundred_are_named(api: Relay, pipeline: Pipeline) -> None:
    pipeline.send(*parse("M0[1/9000]{a}"))
    (sync,) = get(api, f"{ONE}/sessions")["sessions"]
    assert sync["calls"][0]["missing"] == list(range(2, 102))


def test_why_names_the_syncs_and_their_pages(api: Relay, pipeline: Pipeline) -> None:
    pipeline.send(*parse("M0{a,b} | +1{c} -1{b} | +2{a} -2{}"))
    (why,) = get(api, f"/projects/{P}/members/a")["cohorts"]
    (first, second, third) = reversed(get(api, f"{ONE}/sessions")["sessions"])
    assert (why["cohort_id"], why["cohort_name"], why["member"]) == (COHORT, "VIP", True)
    assert why["brought_by"]["session_id"] == first["session_id"]
    assert why["brought_by"]["page"] == {"action": "members", "number": 1}
    assert why["since"] == why["brought_by"]["time"] == first["newest_page"]
    assert why["last_named_by"]["session_id"] == third["session_id"]
    (why,) = get(api, f"/projects/{P}/members/b")["cohorts"]
    assert (why["member"], why["since"], why["brought_by"]) == (False, None, None)
    assert why["last_named_by"]["session_id"] == second["session_id"]
    assert why["last_named_by"]["page"] == {"action": "remove_members", "number": 1}
    assert why["doubts"] == ["taken out by a complete sync, which a later one will confirm or refute"]


def test_why_leaves_the_page_open_where_several_can_have_been_it(api: Relay, pipeline: Pipeline) -> None:
    pipeline.send(*parse("M0[1/2]{a} M0[2/2]{b}"))
    (why,) = get(api, f"/projects/{P}/members/b")["cohorts"]
    assert why["brought_by"]["page"] is None
    assert why["brought_by"]["state"] == "completed"


def test_why_knows_the_sync_also_when_its_session_is_forgotten(
    api: Relay, pipeline: Pipeline, redis_client: redis.Redis
) -> None:
    pipeline.send(*parse("M0{a}"))
    (session,) = get(api, f"{ONE}/sessions")["sessions"]
    for key in (keys.session, keys.session_pages):
        redis_client.unlink(key(P, COHORT, session["session_id"]))
    (why,) = get(api, f"/projects/{P}/members/a")["cohorts"]
    named = why["brought_by"]
    assert (named["session_id"], named["state"], named["page"]) == (session["session_id"], None, None)


def test_somebody_unknown_is_in_no_cohort_whatever_the_id_looks_like(api: Relay, pipeline: Pipeline) -> None:
    pipeline.send(*parse("M0{a}"))
    for distinct_id in ("nobody", "a/b", "$device:1", "é", "x" * 600):
        told = get(api, f"/projects/{P}/members/{distinct_id}")
        assert told == {"distinct_id": distinct_id, "cohorts": []}


def test_200_000_members_are_exported_without_being_held(api: Relay, redis_client: redis.Redis) -> None:
    many = 200_000
    buckets = wanted(many)
    redis_client.sadd(keys.cohorts(P), COHORT)
    redis_client.hset(
        keys.cohort(P, COHORT),
        mapping={"name": "VIP", "members": many, "entries": many, "buckets": buckets},
    )
    redis_client.hset(keys.epochs(P, COHORT), "1", orjson.dumps(["s", 1_000]))
    entry = pack_entry(Entry(now=True, epoch=1, entered=1))
    filling = redis_client.pipeline(transaction=False)
    for number in range(many):
        packed_id = pack_id(f"person-{number}")
        filling.hset(keys.bucket(P, COHORT, bucket_of(packed_id, buckets)), packed_id, entry)
        if number % 10_000 == 0:
            filling.execute()
    filling.execute()
    token = api.token("read")
    headers = {"Authorization": token, "Accept": NDJSON}
    tracemalloc.start()
    answer = api.app.test_client().get(f"{PREFIX}{ONE}/members", headers=headers, buffered=False)
    count = sum(block.count(b"\n") for block in answer.iter_encoded())
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == many
    assert peak_bytes < 6_000_000
