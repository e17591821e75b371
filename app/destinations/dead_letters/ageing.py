"""Let nothing that holds people's data lie for ever, and nothing go without a word."""

from collections.abc import Callable, Iterable
from typing import Final

from redis import Redis, RedisError
from structlog.stdlib import get_logger

from app.cohorts.quarantine import KEPT_S, Quarantine
from app.destinations.dead_letters.store import DeadLetters
from app.store.faults import is_fault, redis_word

log = get_logger(__name__)

_DAY_MS: Final = 86_400_000


class Ageing:
    """Takes out what is too old, and tells of it: dead letters, members in quarantine, pages set aside.

    Args:
        redis: whose clock counts.
        letters: the dead letters.
        quarantine: the others.
        days: how long dead letters are kept.
        trim: drops what nobody needs any more of a project's change log: a consumer may have read on, or
            what is held for it become too old, although nothing was delivered meanwhile.
    """

    def __init__(
        self,
        redis: Redis,
        letters: DeadLetters,
        quarantine: Quarantine,
        days: int,
        *,
        trim: Callable[[str], None],
    ) -> None:
        self._redis = redis
        self._letters = letters
        self._quarantine = quarantine
        self._days = days
        self._trim = trim

    def tidy(self, project_ids: Iterable[str]) -> None:
        """Take out what is too old now; of very many dead letters, some now and the rest next time.

        Raises:
            RedisError: Redis is away, or refuses everything for now.
        """
        for project_id in project_ids:
            try:
                self._tidy(project_id)
            except RedisError as error:
                if not is_fault(error):
                    raise
                log.error(  # noqa: TRY400 - the error's text may quote a value
                    "not_tidied", project_id=project_id, error=type(error).__name__, redis=redis_word(error)
                )

    def _tidy(self, project_id: str) -> None:
        self._trim(project_id)
        now_ms = self._redis.time()[0] * 1000
        expired = self._letters.expire(project_id, now_ms - self._days * _DAY_MS)
        if expired:
            log.warning(
                "dead_letters_expired", project_id=project_id, expired=expired, dead_letter_days=self._days
            )
        gone = self._quarantine.tidy(project_id, now_ms - KEPT_S * 1000)
        if gone:
            log.warning("quarantine_tidied", project_id=project_id, **gone)
