"""What a caller chooses beside an endpoint's own arguments: to wait or not, how to retry, whose host."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from app.mixpanel.catalog.row import CredentialKind
from config.projects import Region


@dataclass(frozen=True, slots=True)
class Estimate:
    """Say how long a call is going to wait before it is sent (again).

    Attributes:
        why: `budget` or `retry`.
        wait_s: Seconds, if nobody else takes what comes free.
        at: The same as a time, with its zone.
    """

    why: str
    wait_s: float
    at: datetime


def untold(_estimate: Estimate) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Wait:
    """How long a caller waits for a slot of a budget.

    Attributes:
        most_s: Seconds in all; 0: the call fails at once, with the time of the next slot.
        tell: Is told each time before the call waits.
    """

    most_s: float = math.inf
    tell: Callable[[Estimate], None] = untold


AT_ONCE: Final = Wait(0.0)
AS_LONG_AS_IT_TAKES: Final = Wait()


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and when a call is tried again.

    What may have been applied is tried again only where sending it twice does what sending it once does.

    Attributes:
        count: Further tries; 0: none.
        delay_s: Seconds before the first of them.
        longest_s: Most seconds before any of them, what the server asks for aside.
        exponential: Whether the delay doubles each time.
        jitter_s: Bounds of the seconds added by chance, so that callers do not come back all at once.
        on_all_errors: Whether to try again whatever the error: 4xx too, which seldom helps.
    """

    count: int = 3
    delay_s: float = 2.0
    longest_s: float = 60.0
    exponential: bool = True
    jitter_s: tuple[float, float] = (1.0, 5.0)
    on_all_errors: bool = False


NO_RETRIES: Final = Retries(count=0)


@dataclass(frozen=True, slots=True)
class Options:
    """How to make a call; what is left out is the project's or the endpoint's own.

    `region` and `host` send the project's credentials there: never let a stranger choose them.

    Attributes:
        region: Whose hosts to use.
        host: Base URL in place of the family's.
        credential: The kind to use, if the endpoint takes it.
        timeout_s: Most seconds for the request.
        headers: Further headers.
        retries: When to try again.
    """

    region: Region | None = None
    host: str | None = None
    credential: CredentialKind | None = None
    timeout_s: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    retries: Retries = Retries()


DEFAULT: Final = Options()
