"""Put the client together."""

import time
from collections.abc import Callable

from redis import Redis

from app.mixpanel.budget import IngestionBudget
from app.mixpanel.calling.api import MixpanelApi
from app.mixpanel.calling.asking import SharedAsking
from app.mixpanel.calling.budgets import Budgets
from app.mixpanel.calling.cache import AnswerCache
from app.mixpanel.calling.flights import Flights
from app.mixpanel.catalog.catalog import CATALOG
from app.mixpanel.request_budget import RequestBudget
from app.mixpanel.transport import Exchange, Transport
from config.settings import Settings

CONNECTIONS = 16
_GRACE_S = 30.0


def build_api(
    redis: Redis, query: RequestBudget, settings: Settings, observe: Callable[[Exchange], None]
) -> MixpanelApi:
    """Make a process's client.

    Args:
        redis: Where budgets are counted and answers are kept.
        query: The query API's budget, which reconciles use as well.
        settings: Say how long a request may take, and how much is kept.
        observe: Is told of each request.
    """
    timeout_s = settings.query_timeout_s
    transport = Transport(timeout_s=timeout_s, connections=CONNECTIONS, observe=observe)
    budgets = Budgets(redis, query, IngestionBudget(redis), timeout_s=timeout_s)
    flights = Flights(redis, timeout_s + _GRACE_S, time.sleep)
    asking = SharedAsking(AnswerCache(redis, most_bytes=settings.mixpanel_cache_bytes), flights)
    return MixpanelApi(transport, budgets, asking, CATALOG)
