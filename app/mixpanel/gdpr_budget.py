"""The limit of retrievals and deletions: 1 request a second, per project.

How many may be under way at once is not documented. A window is taken 50 ms longer than it is: erasures pace
themselves at 1.1 s.

Source: https://docs.mixpanel.com/reference/gdpr-api
"""

from redis import Redis

from app.mixpanel.request_budget import Rates, RequestBudget, Window

A_SECOND = 1
AT_ONCE = 5
_UNEVEN_S = 0.05
_SPARE_S = 30.0


def gdpr_budget(redis: Redis, *, timeout_s: float) -> RequestBudget:
    """Make the budget that all who file and ask share.

    Args:
        redis: Where requests are counted.
        timeout_s: Most seconds that a request can take.
    """
    rates = Rates("gdpr", (Window(A_SECOND, 1),), AT_ONCE, timeout_s + _SPARE_S)
    return RequestBudget(redis, rates, uneven_s=_UNEVEN_S)
