"""Refused pages whose syncs Mixpanel pauses are told of."""

import pytest

from app.status.attention import needs_attention
from app.status.refusals import PAUSING, Refused
from app.web import causes

from .states import NOW_MS, overview


def test_every_cause_that_pauses_is_known_here() -> None:
    assert set(PAUSING) == {cause.code for cause in causes.PAUSING}


@pytest.mark.parametrize("cause", PAUSING)
def test_a_refusal_is_told_with_its_age_and_what_to_do(cause: str) -> None:
    refused = Refused("1001", cause, NOW_MS - 125_000, kept_going=False)
    (check,) = needs_attention(overview(refused=[refused]))
    assert (check.verdict, check.project_id) == ("warn", "1001")
    assert f"2 min ago ({cause})" in check.found
    assert "pauses" in check.found
    assert PAUSING[cause] in check.advice
    assert "resume" in check.advice


def test_where_never_pause_keeps_it_going_nobody_is_told_to_resume() -> None:
    (check,) = needs_attention(overview(refused=[Refused("", "bad_credential", NOW_MS, kept_going=True)]))
    assert "503" in check.found
    assert "resume" not in check.advice
