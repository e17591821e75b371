"""Whether and how long a call that was not answered waits before it is sent again."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

from app.mixpanel.calling.failures import CallFailed, OutOfBudget
from app.mixpanel.calling.options import Estimate, Retries, Wait
from app.mixpanel.errors import Throttled

_BUDGET_JITTER_S: Final = 0.05
_DOUBLINGS: Final = 16


class Patience:
    """What a caller has left of it.

    Args:
        wait: For budgets.
        retries: After failures.
        idempotent: Whether sending the request twice does what sending it once does.
        sleep: Waits so many seconds.
        random: For the jitter.
    """

    def __init__(
        self,
        wait: Wait,
        retries: Retries,
        *,
        idempotent: bool,
        sleep: Callable[[float], None] = time.sleep,
        random: Random | None = None,
    ) -> None:
        self._wait = wait
        self._retries = retries
        self._idempotent = idempotent
        self._sleep = sleep
        self._random = random or Random()  # noqa: S311 - no secret
        self._waited_s = 0.0
        self._tries = 0

    def after(self, error: CallFailed) -> None:
        """Wait as long as is sensible, so that the call can be made again.

        Raises:
            CallFailed: The error itself, where the caller does not wait that long or nothing would be better.
        """
        if isinstance(error, OutOfBudget):
            pause_s = error.retry_after_s + self._random.uniform(0, _BUDGET_JITTER_S)
            if self._waited_s + error.retry_after_s > self._wait.most_s:
                raise error
            self._waited_s += pause_s
            self._pause("budget", pause_s)
            return
        if self._tries >= self._retries.count or not self._helps(error):
            raise error
        self._tries += 1
        pause_s = max(self._delay_s(), error.retry_after_s)
        usual_s = self._retries.longest_s + self._retries.jitter_s[1]
        if pause_s > usual_s and self._waited_s + pause_s > self._wait.most_s:
            raise error  # what the server asks for is longer than the caller waits
        self._pause("retry", pause_s)

    def _helps(self, error: CallFailed) -> bool:
        if isinstance(error.cause, Throttled):  # nothing was applied
            return True
        if error.again:
            return self._idempotent or not error.may_have_applied
        return self._idempotent and self._retries.on_all_errors

    def _delay_s(self) -> float:
        doublings = min(self._tries - 1, _DOUBLINGS) if self._retries.exponential else 0
        delay_s = min(self._retries.delay_s * 2.0**doublings, self._retries.longest_s)
        return delay_s + self._random.uniform(*self._retries.jitter_s)

    def _pause(self, why: str, pause_s: float) -> None:
        at = datetime.now(UTC) + timedelta(seconds=pause_s)
        self._wait.tell(Estimate(why, pause_s, at))
        self._sleep(pause_s)
