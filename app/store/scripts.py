"""Load the Lua scripts that stand in files of their own.

A line ``--! include lanes/scripts/fence.lua`` (a path below ``app/``) is replaced by that file's text: Lua that several
scripts need is written once.
"""

import re
from pathlib import Path

from redis import Redis
from redis.commands.core import Script

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
