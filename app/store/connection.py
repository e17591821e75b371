"""Connect to Redis the way the lanes need it."""

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry


def connect(url: str, timeout_s: float = 5.0) -> Redis:
    """Make a client that answers bytes and never repeats a command by itself.

    A script that timed out may have run, so repeating is the business of the lane, which knows what is safe.
    Nothing is sent yet: the first command connects.
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
    )
