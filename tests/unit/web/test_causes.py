"""The list of causes: what may pause a sync, and nothing else."""

from app.web import causes
from app.web.causes import PAUSING, Cause

PAUSES_A_SYNC = {400, 401, 403, 404}  # Mixpanel's documentation
ALL = [value for value in vars(causes).values() if isinstance(value, Cause)]


def test_only_the_listed_causes_answer_with_a_status_that_pauses_a_sync() -> None:
    assert {cause.code for cause in ALL if cause.status in PAUSES_A_SYNC} == {cause.code for cause in PAUSING}
    assert {cause.status for cause in PAUSING} == PAUSES_A_SYNC


def test_every_transient_cause_says_when_to_come_back() -> None:
    assert all(cause.retry_after_s for cause in ALL if cause.status in {429, 500, 503})


def test_codes_are_unique() -> None:
    assert len({cause.code for cause in ALL}) == len(ALL)
