"""Load the Lua scripts that stand in files of their own.

A line ``--! include lanes/scripts/fence.lua`` (a path below ``app/``) is replaced by that file's text:
what several scripts need is written once. What all packages need stands beside this module.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.commands.core import Script
from redis.exceptions import NoScriptError

Call = tuple[Sequence[str], Sequence[str | bytes | int | float]]
"""Keys and arguments of one run of a script."""

_APP = Path(__file__).resolve().parents[2]
_INCLUDE = re.compile(r"^--! include (\S+)$", re.MULTILINE)


def source(path: str) -> str:
    """Return the text of `app/<path>` with its includes put in place."""
    text = (_APP / path).read_text(encoding="utf-8")
    return _INCLUDE.sub(lambda found: source(found.group(1)), text)


def load(redis: Redis, path: str) -> Script:
    """Make the script `app/<path>` callable as `script(keys=[...], args=[...], client=...)`.

    It is sent by its digest, and by its text once where the server does not know it (a restart, a fail-over).
    """
    return redis.register_script(source(path))


def run_all(redis: Redis, script: Script, calls: Iterable[Call]) -> list[Any]:
    """Run a script several times in order, in one round trip, and return its answers.

    Raises:
        RedisError: the first error among the answers; later calls may have run.
    """
    answers = run_each(redis, script, calls)
    _raise_first(answers)
    return answers


def run_each(redis: Redis, script: Script, calls: Iterable[Call]) -> list[Any]:
    """Run a script several times in order, in one round trip; an error of one call is its answer.

    Raises:
        RedisError: Redis is away; some calls may have run.
    """
    calls = list(calls)
    answers = _pipelined(redis, script, calls)
    if answers and isinstance(answers[0], NoScriptError):
        # The first call did not run. A later one may have, if another process loaded the script meanwhile: a
        # script that builds on the call before checks for itself that it is there.
        redis.script_load(script.script)
        answers = _pipelined(redis, script, calls)
    return answers


def run_replicated(
    redis: Redis, script: Script, call: Call, replicas: int, timeout_ms: int
) -> tuple[Any, int]:
    """Run a script, and wait until replicas have everything that was written up to its end.

    Both go over one connection, since WAIT speaks of what its own connection has written.

    Args:
        redis: where.
        script: must write whatever it comes to, or there is nothing of its own to wait for.
        call: keys and arguments.
        replicas: how many to wait for.
        timeout_ms: how long to wait at most.

    Returns:
        The script's answer, and how many replicas have it.

    Raises:
        RedisError: either's; the script may have run.
    """

    def send() -> list[Any]:
        pipeline = redis.pipeline(transaction=False)
        _add(pipeline, script, call)
        pipeline.wait(replicas, timeout_ms)
        return pipeline.execute(raise_on_error=False)

    answers = send()
    if isinstance(answers[0], NoScriptError):
        redis.script_load(script.script)
        answers = send()
    _raise_first(answers)
    return answers[0], int(answers[1])


def _pipelined(redis: Redis, script: Script, calls: Iterable[Call]) -> list[Any]:
    pipeline = redis.pipeline(transaction=False)
    for call in calls:
        _add(pipeline, script, call)
    return pipeline.execute(raise_on_error=False)


def _add(pipeline: Pipeline, script: Script, call: Call) -> None:
    names, args = call
    pipeline.evalsha(script.sha, len(names), *names, *args)


def _raise_first(answers: Sequence[Any]) -> None:
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
