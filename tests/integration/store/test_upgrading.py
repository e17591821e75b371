"""State of format 1 is brought to made-up formats: whole, once, resumably, with nobody else at work."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from redis import Redis
from redis.exceptions import RedisError

from app.store import keys
from app.store.connection import connect
from app.store.faults import redis_sentence
from app.store.format import FORMAT, OtherFormatError, StoredFormat
from app.store.keys import Place
from app.store.upgrading import AT_ONCE, MIGRATIONS, BeingUpgraded, Migration, NoWay, Upgrading
from tests.conftest import StartRedis
from tests.integration.installation.planting import everything

P = "7"
COHORTS = 3 * AT_ONCE
RENAME = """
local description = redis.call('HGET', KEYS[1], 'description')
if not description then return 0 end
redis.call('HSET', KEYS[1], 'about', description)
redis.call('HDEL', KEYS[1], 'description')
return 1
"""


def say_about(redis: Redis, names: Sequence[bytes]) -> int:
    """Format 2 calls a cohort's description `about`."""
    cohorts = [name for name in names if (place := Place.of(name)) and place.kind == "c"]
    return sum(cast("int", redis.eval(RENAME, 1, name.decode())) for name in cohorts)


def add_flag(redis: Redis, names: Sequence[bytes]) -> int:
    """Format 3 has a flag with each cohort."""
    cohorts = [name for name in names if (place := Place.of(name)) and place.kind == "c"]
    return sum(redis.hsetnx(name.decode(), "flag", "0") for name in cohorts)


TO_2, TO_3 = Migration(2, "descriptions are called about", say_about), Migration(3, "a flag", add_flag)


def plant(redis: Redis) -> None:
    pipeline = redis.pipeline(transaction=False)
    pipeline.hset(keys.inbox_meta(P), "bytes", 0)
    for number in range(COHORTS):
        pipeline.hset(
            keys.cohort(P, str(number)), mapping={"name": f"n{number}", "description": f"d{number}"}
        )
        pipeline.hset(keys.bucket(P, str(number), 0), "member", "entry")
    pipeline.set("somebody else's", "x")
    pipeline.execute()


def upgrading(redis: Redis, *, needed: int = 2, name: str = "me") -> Upgrading:
    return Upgrading(redis, [P], name, needed=needed, migrations=[TO_2, TO_3])


def cohorts(redis: Redis) -> list[Any]:
    return [redis.hgetall(keys.cohort(P, str(number))) for number in range(COHORTS)]


def test_all_of_it_is_brought_to_the_new_version_and_nothing_else_is_touched(redis_client: Redis) -> None:
    plant(redis_client)
    before = everything(redis_client)
    assert upgrading(redis_client).ahead() == [TO_2]
    steps = list(upgrading(redis_client).run())
    assert sum(step.changed for step in steps) == COHORTS
    expected = [{b"name": b"n%d" % number, b"about": b"d%d" % number} for number in range(COHORTS)]
    assert cohorts(redis_client) == expected
    after = everything(redis_client)
    changed = {keys.cohort(P, str(number)).encode() for number in range(COHORTS)}
    assert {k: v for k, v in after.items() if k not in {*changed, keys.state_format().encode()}} == {
        k: v for k, v in before.items() if k not in changed
    }
    assert redis_client.get(keys.state_format()) == b"2"
    assert upgrading(redis_client).ahead() == []


def test_several_versions_are_done_one_after_the_other(redis_client: Redis) -> None:
    plant(redis_client)
    redis_client.set(keys.state_format(), 1)
    steps = list(upgrading(redis_client, needed=3).run())
    assert [step.to for step in steps] == sorted(step.to for step in steps)
    assert cohorts(redis_client)[5] == {b"name": b"n5", b"about": b"d5", b"flag": b"0"}
    assert redis_client.get(keys.state_format()) == b"3"


@pytest.mark.parametrize("broken_off_after", [1, 3, 5])
def test_one_that_is_broken_off_goes_on_where_it_was(redis_client: Redis, broken_off_after: int) -> None:
    plant(redis_client)
    run = upgrading(redis_client).run()
    before = [next(run) for _ in range(broken_off_after)]
    redis_client.delete(keys.upgrade_lock())  # a minute passes
    assert redis_client.get(keys.state_format()) == b"1>2"
    behind = list(upgrading(redis_client).run())
    assert sum(step.changed for step in [*before, *behind]) == COHORTS
    assert sum(step.looked for step in behind) < 2 * COHORTS
    assert all(b"about" in cohort for cohort in cohorts(redis_client))
    assert redis_client.get(keys.state_format()) == b"2"


def test_a_server_that_was_started_again_is_walked_from_the_beginning(start_redis: StartRedis) -> None:
    server = start_redis(appendonly=True)
    with server.client() as redis:
        plant(redis)
        run = upgrading(redis).run()
        done = [next(run) for _ in range(3)]
    server.restart(kill=True)
    with server.client() as redis:
        redis.delete(keys.upgrade_lock())
        behind = list(upgrading(redis).run())
        assert sum(step.looked for step in behind) >= 2 * COHORTS
        assert sum(step.changed for step in [*done, *behind]) == COHORTS
        assert all(b"about" in cohort for cohort in cohorts(redis))


def test_nobody_works_meanwhile_whatever_version_they_are(redis_url: str, redis_client: Redis) -> None:
    plant(redis_client)
    old = connect(redis_url, greet=StoredFormat([P], marks=True, needed=1).on_connect)
    assert old.get("somebody else's") == b"x"
    with connect(redis_url) as own:
        run = upgrading(own).run()
        next(run)
        with pytest.raises(RedisError):
            old.get("somebody else's")  # its connection was closed
        for needed in (1, 2):
            with (
                connect(redis_url, greet=StoredFormat([P], marks=True, needed=needed).on_connect) as process,
                pytest.raises(OtherFormatError) as refused,
            ):
                process.ping()
            assert ("flask state upgrade" in redis_sentence(refused.value, redis_url, "U")) is (needed == 2)
        list(run)
    with pytest.raises(OtherFormatError):
        old.get("somebody else's")
    with connect(redis_url, greet=StoredFormat([P], marks=True, needed=2).on_connect) as process:
        assert process.ping()
    old.close()


def test_one_at_a_time(redis_client: Redis) -> None:
    plant(redis_client)
    run = upgrading(redis_client).run()
    next(run)
    with pytest.raises(BeingUpgraded):
        next(upgrading(redis_client, name="somebody else").run())
    redis_client.set(keys.upgrade_lock(), "somebody else")  # who waited till this one's time was up
    with pytest.raises(BeingUpgraded):
        next(run)


@pytest.mark.parametrize("mark", ["4", "0", "x", "1>3", "-1", "3>4"])
def test_what_there_is_no_way_from_is_left_alone(redis_client: Redis, mark: str) -> None:
    plant(redis_client)
    redis_client.set(keys.state_format(), mark)
    before = everything(redis_client)
    with pytest.raises(NoWay):
        upgrading(redis_client, needed=3).ahead()
    with pytest.raises(NoWay):
        next(upgrading(redis_client, needed=3).run())
    assert everything(redis_client) == before


def test_there_is_a_way_from_every_version_that_there_was() -> None:
    assert [each.to for each in MIGRATIONS] == list(range(2, FORMAT + 1))
