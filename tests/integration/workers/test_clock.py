"""The clock sweeps every lane, whatever is wrong with one of them."""

from redis import Redis
from structlog.testing import capture_logs

from app.lanes.state import read_lane
from app.store import keys
from tests.integration.workers.made import Runner, make_services
from workers.clock import Clock


def test_a_lane_that_cannot_be_swept_keeps_no_other_from_it(redis_client: Redis) -> None:
    made = make_services(redis_client, Runner(), "1", "2", "3")
    for project_id in ("1", "2", "3"):
        redis_client.xadd(keys.inbox(project_id), {"digest": "1", "body": "{}"})
    redis_client.set(keys.lane("2", "apply"), "no lane")
    with capture_logs() as logs:
        Clock(made, "clock@a").tick()
    states = [read_lane(redis_client, project_id, "apply").state for project_id in ("1", "3")]
    assert states == ["queued", "queued"]
    (told,) = [line for line in logs if line["event"] == "lane_not_swept"]
    assert (told["project_id"], told["lane"], told["error"]) == ("2", "apply", "ResponseError")


def test_one_clock_ticks_at_a_time(redis_client: Redis) -> None:
    made = make_services(redis_client, Runner(), "1")
    first, second = Clock(made, "clock@a"), Clock(made, "clock@b")
    first.tick()
    redis_client.xadd(keys.inbox("1"), {"digest": "1", "body": "{}"})
    second.tick()
    assert read_lane(redis_client, "1", "apply").state == "idle"
    first.tick()
    assert read_lane(redis_client, "1", "apply").state == "queued"
