"""A Redis client whose connection breaks at one place of the test's choosing."""

from typing import Any

from redis.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.integration.cohorts.relay import ClockedRedis


class Line:
    """Counts what goes over the wire, one command at a time, those of a pipeline too.

    Attributes:
        breaks_at: the number of the command at which it breaks, from 0; never when None.
        answer_lost: the command itself still arrives, only its answer does not.
        sent: commands so far.
    """

    def __init__(self, breaks_at: int | None = None, *, answer_lost: bool = False) -> None:
        self.breaks_at = breaks_at
        self.answer_lost = answer_lost
        self.sent = 0

    def arriving(self, commands: int) -> int:
        """Return how many of the next commands arrive; the line broke if these are not all answered."""
        left = None if self.breaks_at is None else self.breaks_at - self.sent
        self.sent += commands
        if left is None or not 0 <= left < commands:
            return commands
        return left + self.answer_lost

    def broke(self, commands: int) -> bool:
        """Whether it broke within the last `commands`."""
        return self.breaks_at is not None and self.sent - commands <= self.breaks_at < self.sent


class FaultyRedis(ClockedRedis):
    """Breaks as its line says; whoever holds a lane then has to come back under a new lease."""

    line = Line()

    def execute_command(self, *args: Any, **options: Any) -> Any:
        arrives = self.line.arriving(1)
        answer = super().execute_command(*args, **options) if arrives else None  # type: ignore[no-untyped-call]  # untyped in redis-py
        if self.line.broke(1):
            raise RedisConnectionError("the line broke")
        return answer

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        pipeline = FaultyPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        pipeline.line = self.line
        return pipeline


class FaultyPipeline(Pipeline):
    """A pipeline of which only the first commands may arrive: Redis runs them as they come in."""

    line: Line

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        commands = len(self.command_stack)
        del self.command_stack[self.line.arriving(commands) :]
        answers = super().execute(raise_on_error)
        if self.line.broke(commands):
            raise RedisConnectionError("the line broke")
        return answers
