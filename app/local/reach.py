"""Whether the Redis servers of a run answer, and hold a state that this code understands."""

from redis import RedisError

from app.local.errors import LocalError
from app.store.connection import connect
from app.store.faults import redis_sentence
from app.store.format import StoredFormat
from config.settings import Settings


def require_redis(settings: Settings) -> None:
    """Make sure that the processes will get on with their Redis.

    Raises:
        LocalError: one does not answer, or its state is of another version; the sentence says which and what
            to do.
    """
    stored_format = StoredFormat(settings.projects, marks=False)
    try:
        with connect(settings.redis_url, greet=stored_format.on_connect) as state:
            state.ping()
    except RedisError as error:
        raise LocalError(redis_sentence(error, settings.redis_url, "REDIS_URL")) from error
    if settings.rq_redis_url == settings.redis_url:
        return
    try:
        with connect(settings.rq_redis_url) as queues:
            queues.ping()
    except RedisError as error:
        raise LocalError(redis_sentence(error, settings.rq_redis_url, "RQ_REDIS_URL")) from error
