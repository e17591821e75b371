"""Every check there is, each with what to do."""

import time
from collections.abc import Callable, Generator, Iterator

from redis import Redis, RedisError

from app.services import Services
from app.status.attention import project_checks
from app.status.checks import Check
from app.status.connecting import reachable
from app.status.credentials import credential_checks
from app.status.overview import read_project
from app.status.processes import all_living, processes
from app.status.redis_checks import keeps, memory, persistent, same_time, version, writable
from app.status.redis_facts import MemoryUse, RedisFacts
from app.store.connection import connect
from app.store.faults import redis_trouble, shown_url
from app.store.format import OtherFormatError
from config.settings import Settings


def diagnose(
    services: Services, *, offline: bool = False, now: Callable[[], float] = time.time
) -> Iterator[Check]:
    """Look at everything, in the order in which one thing needs the other.

    Args:
        services: of settings that are right.
        offline: leave out whether Mixpanel can be reached.
        now: this machine's clock, seconds since 1970.
    """
    try:
        yield from _everything(services, offline=offline, now=now)
    except RedisError as error:  # it answered at first
        yield _unreachable("redis", "REDIS_URL", services.settings.redis_url, error)


def _everything(services: Services, *, offline: bool, now: Callable[[], float]) -> Iterator[Check]:
    settings = services.settings
    projects = settings.projects.values()
    yield Check("settings", "ok", f"{len(projects)} project{'' if len(projects) == 1 else 's'} configured")
    there = yield from _redis(services, now)
    now_ms = services.redis.time()[0] * 1000 if there else 0
    yield from _queues(settings, there=there)
    if there:
        yield from all_living(processes(services.heartbeats.alive()))
    for project in projects:
        yield from credential_checks(project)
        if not offline:
            yield reachable(project.hosts.ingestion, project.id)
        if there:
            yield from project_checks(read_project(services, project), now_ms)


def _redis(services: Services, now: Callable[[], float]) -> Generator[Check, None, bool]:
    """Look at the Redis of the state; return whether it answers, and holds what we understand."""
    redis, settings = services.redis, services.settings
    try:
        facts = RedisFacts.read(redis)
        skew_s = _skew_s(redis, now)
    except RedisError as error:
        name = "state" if isinstance(error, OtherFormatError) else "redis"
        yield _unreachable(name, "REDIS_URL", settings.redis_url, error)
        return False
    yield writable(facts)
    yield Check("state", "ok", f"version {services.stored_format.needed}, which this cohort-relay works with")
    yield version(facts)
    yield persistent(facts, allow_volatile=settings.allow_volatile_redis)
    yield keeps(facts, allow_volatile=settings.allow_volatile_redis)
    yield memory(MemoryUse.of(facts.info))
    yield same_time(skew_s)
    return True


def _skew_s(redis: Redis, now: Callable[[], float]) -> float:
    """Return by how many seconds Redis's clock is ahead of ours."""
    before = now()
    seconds, microseconds = redis.time()
    return seconds + microseconds / 1e6 - (before + now()) / 2


def _queues(settings: Settings, *, there: bool) -> Iterator[Check]:
    """Look at the Redis of the queues; nothing to add where it is the one of the state, and that is away."""
    url = settings.rq_redis_url
    if url == settings.redis_url:
        if there:
            yield Check("queues", "ok", "in the same Redis")
        return
    redis = connect(url)
    try:
        redis.ping()
    except RedisError as error:
        yield _unreachable("queues", "RQ_REDIS_URL", url, error)
    else:
        yield Check("queues", "ok", f"Redis at {shown_url(url)} is reachable")
    finally:
        redis.close()


def _unreachable(name: str, variable: str, url: str, error: RedisError) -> Check:
    trouble = redis_trouble(error)
    return Check(name, "fail", f"Redis at {shown_url(url)} ({variable}) {trouble.found}", trouble.advice)
