"""Whether a process may start working over the stored state."""

from redis import RedisError
from structlog.stdlib import get_logger

from app.services import Services
from app.store.faults import redis_sentence, redis_word
from app.store.format import OtherFormatError

log = get_logger(__name__)


def why_not_to_start(services: Services) -> str:
    """Return why the stored state must be left alone, for the person who started the process; else nothing.

    A Redis that is away is no reason: the version is looked at again with each connection, and a process that
    runs already waits while it is another.
    """
    try:
        services.stored_format.check(services.redis)
    except OtherFormatError as error:
        return redis_sentence(error, services.settings.redis_url, "REDIS_URL")
    except RedisError as error:
        log.warning("state_not_checked", error=type(error).__name__, redis=redis_word(error))
    return ""
