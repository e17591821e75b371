"""Run a script that takes something in, and see that it is safe before it counts as taken in."""

from typing import Any, Final, cast

from redis import Redis
from redis.exceptions import RedisError

from app.store import scripts

WAIT_REPLICAS_MS: Final = 1_000
_BEING_DELETED: Final = -9


class NotReplicatedError(RedisError):
    """Fewer replicas than asked for have what was taken in; it may still be lost with the master."""


class BeingDeletedError(RedisError):
    """The project is being deleted: nothing of it is taken in until that is over."""


class DurableScript:
    """A script whose answer is a list that begins with a number, negative where it kept nothing.

    Args:
        redis: where.
        path: the script's file, below `app/`. It must write something even for a repetition.
        replicas: how many must have what it kept; 0 for not waiting.
    """

    def __init__(self, redis: Redis, path: str, replicas: int) -> None:
        self._redis = redis
        self._script = scripts.load(redis, path)
        self._replicas = replicas

    def run(self, call: scripts.Call) -> list[Any]:
        """Run it with these keys and arguments.

        Raises:
            BeingDeletedError: nothing was kept.
            NotReplicatedError: replicas did not say in time that they have it.
            RedisError: it may or may not have been kept.
        """
        answer = self._run(call)
        if answer[0] == _BEING_DELETED:
            raise BeingDeletedError("the project is being deleted")
        return answer

    def _run(self, call: scripts.Call) -> list[Any]:
        names, args = call
        if not self._replicas:
            return cast("list[Any]", self._script(keys=names, args=args))
        answer, replicas = scripts.run_replicated(
            self._redis, self._script, call, self._replicas, WAIT_REPLICAS_MS
        )
        if answer[0] >= 0 and replicas < self._replicas:
            raise NotReplicatedError("too few replicas have it")
        return cast("list[Any]", answer)
