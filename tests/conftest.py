"""Fixtures for every test: a redis-server of our own, never one that happens to run.

Each xdist worker starts one server without persistence, because that is fast. A test that kills, freezes
or reconfigures a server, or needs it to persist, asks `start_redis` for one of its own.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.redis_server import RedisServer

StartRedis = Callable[..., RedisServer]


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The server of this xdist worker; use `redis_url` or `redis_client` to have it empty."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of this worker's server, emptied before the test."""
    redis_server.flush()
    return redis_server.url


@pytest.fixture
def redis_client(redis_server: RedisServer, redis_url: str) -> Iterator[redis.Redis]:
    """A client (bytes, no retries) of this worker's server, emptied before the test."""
    with redis_server.client() as client:
        yield client


@pytest.fixture
def start_redis(tmp_path: Path) -> Iterator[StartRedis]:
    """Start servers of the test's own: `start_redis(appendonly=True, maxmemory_bytes=..., ...)`."""
    servers: list[RedisServer] = []

    def start(**options: Any) -> RedisServer:
        server = RedisServer(tmp_path / f"redis-{len(servers)}", **options)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        server.kill()
