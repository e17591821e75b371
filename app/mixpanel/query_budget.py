"""The query API's limits: 60 queries an hour, 5 at once, 3 a second, per project.

Whether the further pages of a query count towards the hour, Mixpanel's documentation does not say, and the
sources disagree: so it is a setting, and they do unless told otherwise. They are never more than 3 a second
and 5 at once.

Source: https://docs.mixpanel.com/reference/query-api-rate-limits
"""

from app.mixpanel.request_budget import Rates, Window

AN_HOUR = 60
A_SECOND = 3
AT_ONCE = 5
_SPARE_S = 30.0  # what an exchange can take on top of its time-out: looking a name up, for one


def query_rates(*, timeout_s: float, an_hour: int = AN_HOUR, pages_count: bool = True) -> Rates:
    """Give the query API's limits.

    Args:
        timeout_s: Most seconds that a query can take.
        an_hour: Queries an hour: fewer leave some to people and other programs, who share the budget.
        pages_count: Whether the further pages of a query count towards the hour.
    """
    windows = (Window(an_hour, 3600, follow_ups=pages_count), Window(A_SECOND, 1))
    return Rates("query", windows, AT_ONCE, timeout_s + _SPARE_S)
