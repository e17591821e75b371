"""Say what is wrong with Redis without quoting the error, which may hold an address, a key or a value."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from redis import RedisError
from redis.exceptions import AuthenticationError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from app.store.format import OtherFormatError


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, and what an operator can do about it; each a clause without a full stop."""

    found: str
    advice: str


_OTHER_FORMAT: Final = (
    "run the cohort-relay that wrote it, or name a Redis without state in REDIS_URL; nothing was changed"
)
_OLDER_FORMAT: Final = (
    "make a backup and run `flask state upgrade` (docs/installation.md), or the cohort-relay that wrote it;"
    " nothing was changed"
)
_BY_WORD: Final = {
    "LOADING": Trouble("is loading its data after a start", "wait until it has"),
    "NOAUTH": Trouble("asks for a password", "put it into the URL, as in redis://:password@host:6379/0"),
    "WRONGPASS": Trouble("refuses the URL's user or password", "correct them in the URL"),
    "NOPERM": Trouble("lets this user do too little", "give the user the missing permission (ACL)"),
    "MASTERDOWN": Trouble("is a replica that has lost its primary", "let the URL name the primary"),
    "READONLY": Trouble("is a replica, which takes no writes", "let the URL name the primary"),
    "OOM": Trouble(
        "is out of memory",
        "pages that wait are applied and new ones refused until there is room; give it more (maxmemory)",
    ),
    "MISCONF": Trouble("cannot write to its disk and so takes no writes", "look at its log and its disk"),
}

_FOR_NOW: Final = frozenset(_BY_WORD) | {
    *("NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK", "BUSY", "NOTBUSY", "UNKILLABLE", "NOSCRIPT"),
    "EXECABORT",  # a command of a transaction was refused, and which and why is not told
}
# Redis 6 tells in the middle of its text why a command within a script was refused, as in
# "ERR Error running script (call to f_...): @user_script:3: @user_script: 3: -OOM command not allowed ...".
_WITHIN_SCRIPT: Final = re.compile(r"@user_script: ?\d+: -([A-Z]+) ")


def redis_word(error: RedisError) -> str | None:
    """Return the server's own code of the error, such as OOM, READONLY or NOREPLICAS; None without one."""
    # The client takes the codes that it knows out of the text.
    first = str(getattr(error, "status_code", None) or str(error).partition(" ")[0])
    if first == "ERR" and (within := _WITHIN_SCRIPT.search(str(error))):
        return within[1]
    return first if first.isalpha() and first.isupper() else None


def is_fault(error: Exception) -> bool:
    """Say whether Redis refused this very command, and would again, rather than every write for now."""
    return isinstance(error, ResponseError) and redis_word(error) not in _FOR_NOW


def redis_trouble(error: RedisError) -> Trouble:
    """Put an error into words for an operator."""
    if isinstance(error, OtherFormatError):
        return Trouble(str(error), _OLDER_FORMAT if error.is_older else _OTHER_FORMAT)
    word = redis_word(error) or ""
    if word in _BY_WORD:
        return _BY_WORD[word]
    if isinstance(error, AuthenticationError):
        return _BY_WORD["WRONGPASS"]
    if isinstance(error, RedisTimeoutError):
        return Trouble("does not answer in time", "look whether it is overloaded or the network is slow")
    if isinstance(error, RedisConnectionError):
        return Trouble("cannot be reached", "start it, or correct the URL")
    return Trouble(f"answers with an error ({word or type(error).__name__})", "look at its log")


def shown_url(url: str) -> str:
    """Return where a Redis is, without user and password."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return parts.path
    return f"{parts.hostname or 'localhost'}:{parts.port or 6379}"


def redis_sentence(error: RedisError, url: str, variable: str) -> str:
    """Say in a sentence where the Redis is, what is wrong with it and what to do; without secrets."""
    trouble = redis_trouble(error)
    return f"Redis at {shown_url(url)} ({variable}) {trouble.found}: {trouble.advice}."
