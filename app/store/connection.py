"""Connect to Redis the way the lanes need it."""

from collections.abc import Callable
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def connect(url: str, timeout_s: float = 5.0, greet: Callable[[Any], None] | None = None) -> Redis:
    """Make a client that answers bytes and never repeats a command by itself.

    A script that timed out may have run, so repeating is the business of the lane, which knows what is safe.
    Nothing is sent yet: the first command connects.

    Args:
        url: where.
        timeout_s: for connecting, and for each answer.
        greet: called with each new connection in place of its own `on_connect`, which it has to call.
    """
    return Redis.from_url(
        url,
        decode_responses=False,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        retry_on_error=[],
        health_check_interval=30,
        redis_connect_func=greet,
    )
