"""A page counts as taken in only once the replicas that are asked for have it: against a real replica."""

from queue import Queue
from typing import cast

import pytest
from redis import BlockingConnectionPool, Redis

from app.cohorts.inbox import Inbox
from app.cohorts.pages import parse
from app.lanes.lanes import Lanes
from app.lanes.queue import LaneQueue
from app.store.durable import NotReplicatedError
from tests.conftest import StartRedis
from tests.integration.cohorts.relay import Jobs, body_of
from tests.model.wire import SentPage
from tests.redis_server import RedisServer
from tests.waiting import wait_until

CONNECTIONS = 3


class Web:
    """A web process: commands go over its connections in turn, as they do when it is busy."""

    def __init__(self, server: RedisServer) -> None:
        pool = BlockingConnectionPool(  # type: ignore[no-untyped-call]  # the client leaves it untyped
            host="127.0.0.1",
            port=server.port,
            max_connections=CONNECTIONS,
            queue_class=Queue,
            socket_timeout=10.0,
        )
        self.redis = Redis(connection_pool=pool)
        lanes = Lanes(self.redis, cast("LaneQueue", Jobs()), lease_s=15.0)
        self.inbox = Inbox(self.redis, lanes, 1 << 24, 1 << 26, wait_replicas=1)

    def accept(self, session: str) -> bool:
        """Take a page in; say whether it was a copy."""
        body = body_of(SentPage(session, "members", 1, 1, ("a",), 0.0, "c"))
        return self.inbox.accept(parse(body).head, body).duplicate


@pytest.fixture
def servers(start_redis: StartRedis) -> tuple[RedisServer, RedisServer]:
    master = start_redis()
    replica = start_redis(options={"replicaof": f"127.0.0.1 {master.port}"})
    with master.client() as client:
        client.config_set("repl-diskless-sync-delay", 0)
        wait_until(
            lambda: client.info("replication").get("slave0", {}).get("state") == "online",
            30,
            "the replica follows",
        )
    return master, replica


def test_a_page_that_a_replica_lacks_is_not_taken_in(servers: tuple[RedisServer, RedisServer]) -> None:
    master, replica = servers
    web, other = Web(master), Web(master)
    assert not web.accept("1")
    for _ in range(CONNECTIONS):  # the replica has told each of them that it has all there is
        assert web.redis.wait(1, 5_000) == 1
    replica.freeze()
    with pytest.raises(NotReplicatedError):
        web.accept("2")
    with pytest.raises(NotReplicatedError):
        other.accept("2")  # the sender tries again, and another process has the copy
    replica.thaw()
    assert other.accept("2")
    for each in (web, other):
        each.redis.close()
