import pytest
import redis

from app.mixpanel.size_limit import DOCUMENTED_BYTES, LIFETIME_S, SizeLimits
from app.store import keys


def test_a_project_that_never_complained_has_the_documented_limit(redis_client: redis.Redis) -> None:
    assert SizeLimits(redis_client).get("1") == DOCUMENTED_BYTES


@pytest.mark.parametrize(
    ("size", "named", "limit"),
    [
        (5_000_000, 2_097_152, 2_097_152),
        (5_000_000, None, 2_500_000),
        (5_000_000, 9_000_000, 2_500_000),
        (5_000_000, 5_000_000, 2_500_000),
        (20_000, None, 16_384),
        (900, 500, 500),
    ],
)
def test_a_413_teaches_every_worker_the_limit_of_its_project(
    redis_client: redis.Redis, size: int, named: int | None, limit: int
) -> None:
    assert SizeLimits(redis_client).learn("1", size, named) == limit
    assert SizeLimits(redis_client).get("1") == limit
    assert SizeLimits(redis_client).get("2") == DOCUMENTED_BYTES


def test_a_limit_only_shrinks_until_it_is_forgotten(redis_client: redis.Redis) -> None:
    limits = SizeLimits(redis_client)
    limits.learn("1", 5_000_000, 1_000_000)
    assert limits.learn("1", 5_000_000, 2_000_000) == 1_000_000
    lifetime = redis_client.ttl(keys.size_limit("1"))
    assert LIFETIME_S - 5 < lifetime <= LIFETIME_S
