"""The kinds of problems that a call of Mixpanel ends with, made of the client's own list of them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.mixpanel.calling.problems import PROBLEMS
from app.web.api.kinds import Kind

TOO_MANY_CALLS: Final = Kind(
    "too_many_calls",
    503,
    "Too many calls of Mixpanel are under way.",
    "Send the same again later, or let the operator raise WEB_THREADS: a quarter of them may be such calls.",
    retry_after_s=5,
)
_PASSING_FROM: Final = 500
_TOO_MANY: Final = 429
_RETRY_AFTER_S: Final = 30

OF_CALLS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        code: Kind(
            f"mixpanel_{code}",
            problem.answer,
            f"{problem.what}.",
            problem.todo,
            _RETRY_AFTER_S if problem.answer == _TOO_MANY or problem.answer >= _PASSING_FROM else None,
        )
        for code, problem in PROBLEMS.items()
    }
)
"""By the code that the client calls them by."""
CALL_KINDS: Final = (TOO_MANY_CALLS, *OF_CALLS.values())
