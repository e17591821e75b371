import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

import pytest
import redis

from app.mixpanel.budget import IngestionBudget
from app.mixpanel.calling.api import MixpanelApi
from app.mixpanel.calling.asking import SharedAsking
from app.mixpanel.calling.budgets import Budgets
from app.mixpanel.calling.cache import AnswerCache
from app.mixpanel.calling.flights import Flights
from app.mixpanel.catalog.catalog import CATALOG
from app.mixpanel.query_budget import query_rates
from app.mixpanel.request_budget import Rates, RequestBudget
from app.mixpanel.transport import Transport
from config.projects import Hosts, Project, ServiceAccount
from config.secret import Secret
from tests.integration.mixpanel.server import Reply, Server


def project_at(url: str, **more: Any) -> Project:
    """Describe a project all of whose hosts are one address."""
    return Project(
        id="2195193",
        name="Shop",
        region="eu",
        token=Secret("token-of-the-project"),
        hosts=Hosts(**{host.name: url for host in fields(Hosts)}),
        webhook_credentials=(),
        service_account=ServiceAccount("relay.mp", Secret("account-secret")),
        oauth_token=Secret("oauth-secret"),
        **more,
    )


@dataclass
class World:
    redis: redis.Redis
    server: Server
    project: Project
    slept: list[float] = field(default_factory=list)
    transports: list[Transport] = field(default_factory=list)

    def api(
        self,
        *,
        rates: Rates | None = None,
        cache_bytes: int = 1024 * 1024,
        sleep: Callable[[float], None] | None = None,
        lease_s: float = 20.0,
        timeout_s: float = 5.0,
    ) -> MixpanelApi:
        """Make a client as each process has one of its own."""
        transport = Transport(timeout_s=timeout_s, connections=16)
        self.transports.append(transport)
        query = RequestBudget(self.redis, rates or query_rates(timeout_s=timeout_s), uneven_s=0)
        budgets = Budgets(self.redis, query, IngestionBudget(self.redis), timeout_s=timeout_s)
        flights = Flights(self.redis, lease_s, time.sleep)
        asking = SharedAsking(AnswerCache(self.redis, most_bytes=cache_bytes), flights)
        return MixpanelApi(transport, budgets, asking, CATALOG, sleep=sleep or self.slept.append)


@pytest.fixture
def world(redis_client: redis.Redis, server: Server) -> Iterator[World]:
    server.peeks = False
    server.behaviour = lambda _request: Reply(200, b"[]")
    made = World(redis_client, server, project_at(server.url))
    yield made
    for transport in made.transports:
        transport.close()
