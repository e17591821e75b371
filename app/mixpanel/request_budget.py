"""Requests of a family of endpoints, in rolling windows and at once, counted per project by all processes.

Ingestion is measured in records and bytes (`budget.py`); the other families in requests: so many an hour, a
minute or a second, and so many at once. The time is Redis's own. Whoever has a slot holds a lease on it, so
that a process that is killed gives it back by not coming back.

Mixpanel counts when a request arrives and we count when it leaves, and not every request takes equally long
to arrive: so each window is taken a little longer than it is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

from redis import Redis, RedisError

from app.mixpanel.errors import MixpanelError, OverBudget
from app.store import keys
from app.store.scripts import load

UNEVEN_S = 0.25
BUSY_S = 2.0  # when to look again while all slots are held: most are free by then, whatever their lease
_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """So many requests in any span of a length.

    Attributes:
        most: Requests.
        length_s: Seconds.
        follow_ups: Whether the further pages of a query count as well.
    """

    most: int
    length_s: float
    follow_ups: bool = True


@dataclass(frozen=True, slots=True)
class Rates:
    """The limits of one family of endpoints.

    Attributes:
        family: One of our own words, part of the keys' names.
        windows: All must have room. Their order is part of the keys' names.
        at_once: Most requests under way.
        lease_s: Seconds after which a request counts as over, whatever became of its sender; more than a
            request can take, at most an hour.
    """

    family: str
    windows: tuple[Window, ...]
    at_once: int
    lease_s: float


@dataclass(frozen=True, slots=True)
class Left:
    """Say what a family's budget has room for now.

    Attributes:
        windows: Requests that each window has room for, in the order of `Rates.windows`.
        at_once: Further requests that may be under way.
    """

    windows: tuple[int, ...]
    at_once: int


@dataclass(frozen=True, slots=True)
class Slot:
    """The right to make one request.

    Attributes:
        id: Of the request.
        begun_us: Redis's time when it was counted, in microseconds.
    """

    id: str
    begun_us: int


class RequestBudget:
    """Count the requests of one family.

    Args:
        redis: Where they are counted.
        rates: The family's limits.
        uneven_s: How much longer than it is each window is taken, in seconds.
        now_us: Clock for tests, in microseconds; None is Redis's own.
    """

    def __init__(
        self,
        redis: Redis,
        rates: Rates,
        *,
        uneven_s: float = UNEVEN_S,
        now_us: Callable[[], int] | None = None,
    ) -> None:
        self.rates = rates
        self._begin = load(redis, "mixpanel/scripts/request_begin.lua")
        self._end = load(redis, "mixpanel/scripts/request_end.lua")
        self._renew = load(redis, "mixpanel/scripts/request_renew.lua")
        self._look = load(redis, "mixpanel/scripts/request_look.lua")
        self._lengths_us = [round((window.length_s + uneven_s) * _US) for window in rates.windows]
        self._now_us = now_us

    @contextmanager
    def slot(self, project_id: str, *, follow_up: bool = False, spare: int = 0) -> Iterator[Slot]:
        """Hold a slot while a request is made.

        What never reached Mixpanel is not counted: an hour without a network leaves the budget whole.

        Args:
            project_id: Whose budget.
            follow_up: The request is for a further page of a query that was counted.
            spare: Requests of the first window to leave to others: what can wait takes none of these.

        Raises:
            OverBudget: There is no slot; nothing was counted.
        """
        slot = self.begin(project_id, follow_up=follow_up, spare=spare)
        reached = True
        try:
            yield slot
        except MixpanelError as error:
            reached = getattr(error, "outcome_unknown", True)
            raise
        finally:
            with suppress(RedisError):  # the answer is worth more than the slot, which its lease gives back
                self.end(project_id, slot, reached=reached)

    def begin(self, project_id: str, *, follow_up: bool = False, spare: int = 0) -> Slot:
        """Take a slot; as `slot`, which is what gives it back whatever happens.

        Raises:
            OverBudget: There is none. Where a window is full, it has room after exactly `retry_after_s` if
                nobody else takes anything; where too many are under way, that is when to look again.
        """
        rates, slot_id = self.rates, uuid4().hex
        args: list[str | int] = [slot_id, rates.at_once, round(rates.lease_s * _US)]
        for window, length_us in zip(rates.windows, self._lengths_us, strict=True):
            args += [max(1, window.most - spare), length_us, int(window.follow_ups or not follow_up)]
            spare = 0
        answer = self._begin(keys=self._keys(project_id), args=[*args, *self._now()])
        window_us, lease_us, now_us = map(int, answer)
        if window_us or lease_us:
            raise OverBudget(max(window_us / _US, min(lease_us / _US, BUSY_S)))
        return Slot(slot_id, now_us)

    def end(self, project_id: str, slot: Slot, *, reached: bool = True) -> int:
        """Give a slot back.

        Args:
            project_id: Whose.
            slot: As `begin` gave it.
            reached: False where the request cannot have reached Mixpanel: then it does not count.

        Returns:
            Redis's time, in microseconds.
        """
        return int(self._end(keys=self._keys(project_id), args=[slot.id, int(not reached), *self._now()]))

    def renew(self, project_id: str, slot: Slot) -> bool:
        """Lengthen the lease of a request that takes long; False where it had ended already."""
        args: list[str | int] = [slot.id, round(self.rates.lease_s * _US), *self._now()]
        return bool(self._renew(keys=[keys.requests_under_way(project_id, self.rates.family)], args=args))

    def left(self, project_id: str) -> Left:
        """Say what there is room for now."""
        _, under_way, begun = self._used(project_id)
        windows = zip(self.rates.windows, begun, strict=True)
        return Left(
            tuple(max(window.most - len(times), 0) for window, times in windows),
            max(self.rates.at_once - under_way, 0),
        )

    def estimate(self, project_id: str, requests: int, *, follow_ups: int = 0) -> float:
        """Say after how many seconds the last of some requests can begin, if nobody else takes anything.

        The time that the requests themselves take is not in it.

        Args:
            project_id: Whose budget.
            requests: Requests that count everywhere.
            follow_ups: Further pages.

        Returns:
            Seconds from now; 0 where all can begin now.
        """
        now_us, _, begun = self._used(project_id)
        at_us = now_us
        for number in range(requests + follow_ups):
            counting = [
                (times, window.most, length_us)
                for times, window, length_us in zip(begun, self.rates.windows, self._lengths_us, strict=True)
                if number < requests or window.follow_ups
            ]
            for times, most, length_us in counting:
                if len(times) >= most:
                    at_us = max(at_us, times[-most] + length_us)
            for times, _, _ in counting:
                times.append(at_us)
        return (at_us - now_us) / _US

    def _used(self, project_id: str) -> tuple[int, int, list[list[int]]]:
        now_us, under_way, *begun = self._look(
            keys=self._keys(project_id), args=[*self._lengths_us, *self._now()]
        )
        return int(now_us), int(under_way), [[int(time) for time in times] for times in begun]

    def _keys(self, project_id: str) -> list[str]:
        name = self.rates.family
        windows = range(len(self.rates.windows))
        return [
            keys.requests_under_way(project_id, name),
            *(keys.request_window(project_id, name, number) for number in windows),
        ]

    def _now(self) -> list[int]:
        return [self._now_us()] if self._now_us else []
