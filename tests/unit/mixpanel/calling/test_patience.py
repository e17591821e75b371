from random import Random

import pytest

from app.mixpanel.calling.failures import CallFailed, explain
from app.mixpanel.calling.options import AT_ONCE, NO_RETRIES, Estimate, Retries, Wait
from app.mixpanel.calling.patience import Patience
from app.mixpanel.errors import MixpanelError, OverBudget, Rejected, Retryable, Throttled

FAILED = Retryable("500", status=500)
NEVER_ARRIVED = Retryable("x", outcome_unknown=False, trouble="unreachable")


class Trial:
    def __init__(
        self, wait: Wait = AT_ONCE, retries: Retries | None = None, *, idempotent: bool = True
    ) -> None:
        self.slept: list[float] = []
        self.patience = Patience(
            wait,
            retries or Retries(jitter_s=(0, 0)),
            idempotent=idempotent,
            sleep=self.slept.append,
            random=Random(1),
        )

    def after(self, error: MixpanelError) -> bool:
        """Whether the call is made again."""
        try:
            self.patience.after(explain(error, "x", str))
        except CallFailed:
            return False
        return True


def test_retries_double_their_delay_up_to_the_longest() -> None:
    trial = Trial(retries=Retries(count=7, jitter_s=(0, 0)))
    assert [trial.after(FAILED) for _ in range(8)] == [True] * 7 + [False]
    assert trial.slept == [2, 4, 8, 16, 32, 60, 60]


def test_retries_can_have_a_fixed_delay() -> None:
    trial = Trial(retries=Retries(count=2, delay_s=1, exponential=False, jitter_s=(0, 0)))
    assert [trial.after(FAILED) for _ in range(3)] == [True, True, False]
    assert trial.slept == [1, 1]


def test_chance_spreads_the_retries() -> None:
    trial = Trial(retries=Retries(count=1))
    trial.after(FAILED)
    assert 3 <= trial.slept[0] <= 7


@pytest.mark.parametrize(
    ("error", "idempotent", "again"),
    [
        (FAILED, True, True),
        (FAILED, False, False),
        (NEVER_ARRIVED, False, True),
        (Throttled(0.0), False, True),
        (Rejected(404, "x"), True, False),
        (Rejected(404, "x"), False, False),
    ],
)
def test_what_may_have_been_applied_is_not_blindly_sent_again(
    error: MixpanelError, idempotent: bool, again: bool
) -> None:
    assert Trial(idempotent=idempotent).after(error) is again


def test_a_caller_may_have_all_errors_tried_again_where_that_is_harmless() -> None:
    everything = Retries(on_all_errors=True)
    assert Trial(retries=everything).after(Rejected(404, "x"))
    assert not Trial(retries=everything, idempotent=False).after(Rejected(404, "x"))
    assert not Trial(retries=NO_RETRIES).after(FAILED)


def test_the_server_is_given_the_time_that_it_asks_for_if_the_caller_has_it() -> None:
    trial = Trial()
    assert trial.after(Throttled(30.0))
    assert trial.slept == [30.0]
    assert not Trial().after(Throttled(900.0))
    assert Trial(Wait(1_000.0)).after(Throttled(900.0))


def test_a_full_budget_is_waited_for_as_long_as_the_caller_said_and_no_try_is_lost() -> None:
    told: list[Estimate] = []
    trial = Trial(Wait(100.0, told.append), NO_RETRIES)
    assert [trial.after(OverBudget(45.0)) for _ in range(3)] == [True, True, False]
    assert [round(one.wait_s) for one in told] == [45, 45]
    assert told[0].why == "budget"
    assert not Trial(AT_ONCE).after(OverBudget(0.1))
