"""Ask once for all who ask the same, and keep the answer."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson

from app.mixpanel.calling.building import Built
from app.mixpanel.calling.cache import AnswerCache, Kept
from app.mixpanel.calling.failures import CallFailed
from app.mixpanel.calling.flights import Flight, Flights
from app.mixpanel.calling.problems import PROBLEMS
from app.mixpanel.errors import Retryable, Throttled

_NEVER_ALIKE: Final = frozenset({"expire", "sig"})
_NOT_KEPT: Final = b"not kept"
"""Told to who waited for an answer that is too large to be kept: each asks for itself."""
Ask = Callable[[], Kept]


class SharedAsking:
    """Let all processes share questions and answers.

    Args:
        cache: Where answers are kept.
        flights: Who is asking.
    """

    def __init__(self, cache: AnswerCache, flights: Flights) -> None:
        self._cache = cache
        self._flights = flights

    def ask(self, built: Built, lifetime_s: float, since_us: int | None, ask: Ask) -> tuple[Kept, bool]:
        """Return an answer, and whether somebody else had asked for it.

        Args:
            built: The question.
            lifetime_s: How long its answer may be reused.
            since_us: Only answers asked for since then are taken; None: any that is kept.
            ask: Asks Mixpanel, once.

        Raises:
            CallFailed: As `ask`; or as the one who asked was told.
        """
        project_id, digest = built.call.project_id, digest_of(built)
        while True:
            if kept := self._kept(project_id, digest, since_us):
                return kept, True
            flight = self._flights.begin(project_id, digest)
            if flight is not None:
                return self._fly(built, lifetime_s, since_us, ask, flight)
            told = self._flights.wait(project_id, digest)
            if told == _NOT_KEPT:
                return ask(), False
            if told:
                raise _failure(told)

    def _fly(
        self, built: Built, lifetime_s: float, since_us: int | None, ask: Ask, flight: Flight
    ) -> tuple[Kept, bool]:
        project_id, digest = built.call.project_id, digest_of(built)
        told = b""
        try:
            # Another flight may have ended between the look and the beginning of this one.
            if kept := self._kept(project_id, digest, since_us):
                return kept, True
            found = replace(ask(), asked_us=flight.asked_us)
            if not self._cache.put(project_id, digest, found, lifetime_s):
                told = _NOT_KEPT
        except CallFailed as error:
            # A full budget is no answer: who waits may find a slot, who does not is told the next one.
            told = b"" if error.code == "over_budget" else _told(error)
            raise
        finally:
            self._flights.end(project_id, digest, flight, told)
        return found, False

    def _kept(self, project_id: str, digest: str, since_us: int | None) -> Kept | None:
        kept = self._cache.get(project_id, digest)
        return kept if kept is not None and (since_us is None or kept.asked_us >= since_us) else None

    def now_us(self) -> int:
        """Return Redis's time, in microseconds."""
        return self._flights.now_us()


def digest_of(built: Built) -> str:
    """Name a question: equal for the same request of the same project, whoever asks."""
    call = built.call
    params = call.params.items() if isinstance(call.params, Mapping) else call.params
    asked = sorted(pair for pair in params if pair[0] not in _NEVER_ALIKE)
    found = hashlib.blake2b(digest_size=16)
    for part in (call.method.encode(), call.url.encode(), orjson.dumps(asked), call.body or b""):
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.hexdigest()


def _told(error: CallFailed) -> bytes:
    return orjson.dumps(
        {
            "code": error.problem.code,
            "where": error.where,
            "status": error.status,
            "details": error.details,
            "answered": error.answered,
            "retry_after_s": error.retry_after_s,
            "throttled": isinstance(error.cause, Throttled),
            "again": error.again,
            "unknown": error.may_have_applied,
        }
    )


def _failure(told: bytes) -> CallFailed:
    said: dict[str, Any] = orjson.loads(told)
    cause: Retryable | Throttled | None = None
    if said["throttled"]:
        cause = Throttled(said["retry_after_s"])
    elif said["again"]:
        cause = Retryable("as another caller was told", outcome_unknown=said["unknown"])
    return CallFailed(
        PROBLEMS[said["code"]],
        said["where"],
        status=said["status"],
        details=said["details"],
        answered=said["answered"],
        retry_after_s=said["retry_after_s"],
        cause=cause,
    )
