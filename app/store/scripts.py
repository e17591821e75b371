"""Load the Lua scripts that stand in files of their own.

A line ``--! include lanes/scripts/fence.lua`` (a path below ``app/``) is replaced by that file's text:
what several scripts need is written once.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import NoScriptError

Call = tuple[Sequence[str], Sequence[str | bytes | int | float]]
"""Keys and arguments of one run of a script."""

_APP = Path(__file__).resolve().parent.parent
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
    calls = list(calls)
    answers = _pipelined(redis, script, calls)
    if answers and isinstance(answers[0], NoScriptError):
        # The first call did not run. A later one may have, if another process loaded the script meanwhile: a
        # script that builds on the call before checks for itself that it is there.
        redis.script_load(script.script)
        answers = _pipelined(redis, script, calls)
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


def _pipelined(redis: Redis, script: Script, calls: Iterable[Call]) -> list[Any]:
    pipeline = redis.pipeline(transaction=False)
    for names, args in calls:
        pipeline.evalsha(script.sha, len(names), *names, *args)
    return pipeline.execute(raise_on_error=False)
