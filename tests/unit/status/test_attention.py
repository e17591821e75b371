from typing import Any

import pytest

from app.lanes.state import LaneState
from app.status.attention import needs_attention
from app.status.overview import QueueStatus
from app.status.processes import processes
from app.status.redis_facts import MemoryUse

from .states import MIB, NOW_MS, cohort, destination, inbox, outbox, overview, project


def attention(**changes: Any) -> list[tuple[str, str, str]]:
    """What is not as it should be in a project with these changes: verdict, name, what was found."""
    found = needs_attention(overview(project(**changes)))
    assert all(check.advice and check.project_id == "1001" for check in found)
    return [(check.verdict, check.name, check.found) for check in found]


def test_where_all_is_well_nothing_needs_attention() -> None:
    assert attention() == []


@pytest.mark.parametrize(
    ("size_mib", "verdict", "answer"),
    [(65, "warn", "delayed"), (231, "fail", "429")],
)
def test_an_inbox_above_its_caps_is_told_with_what_mixpanel_sees(
    size_mib: int, verdict: str, answer: str
) -> None:
    ((found, name, text),) = attention(inbox=inbox(1200, size_mib * MIB))
    assert (found, name) == (verdict, "inbox")
    assert "1,200 pages" in text
    assert answer in text


@pytest.mark.parametrize(("used_mib", "verdicts"), [(70, []), (80, ["warn"]), (95, ["fail"])])
def test_a_redis_that_is_nearly_full_is_told(used_mib: int, verdicts: list[str]) -> None:
    found = needs_attention(overview(memory=MemoryUse(used_mib * MIB, 100 * MIB, "maxmemory")))
    assert [check.verdict for check in found] == verdicts
    assert all(check.name == "memory" and "503" in check.advice for check in found)


def test_a_stopped_destination_fails_with_its_reason() -> None:
    stopped = destination(state="stopped", reason="Mixpanel refused the credential: 401")
    ((verdict, name, text),) = attention(destinations={"profiles": stopped})
    assert (verdict, name) == ("fail", "profiles")
    assert "401" in text


def test_a_destination_that_tries_again_is_no_failure_yet() -> None:
    retrying = destination(state="retrying", reason="the server answered 503", tries=3, behind=12)
    ((verdict, _, text),) = attention(destinations={"profiles": retrying})
    assert verdict == "warn"
    assert "3 times" in text
    assert "503" in text
    assert "12 log entries" in text


def test_a_window_that_fails_for_an_hour_needs_a_person_and_says_since_when() -> None:
    for age_s, expected in ((3_599, "warn"), (3_600, "fail")):
        since_ms = NOW_MS - age_s * 1000
        retrying = destination(
            state="retrying", reason="the server answered 503", since_ms=since_ms, tries=70, behind=12
        )
        ((verdict, name, text),) = attention(destinations={"events": retrying})
        assert (verdict, name) == (expected, "events")
        assert "503" in text
    assert text.startswith("has not got on since 2025-08-05 08:30 UTC, failed 70 times so far: ")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("profiles", "correct the token or"),
        ("profiles-outbox", "correct the token or"),
        ("groups-outbox", "correct the token or"),
        ("events", "correct the service account (the token, where there is none) or"),
        ("events-outbox", "correct the service account (the token, where there is none) or"),
        ("identity-outbox", "correct the service account (the token, where there is none) or"),
    ],
)
def test_what_to_correct_is_what_the_destination_shows_mixpanel(name: str, what: str) -> None:
    stopped = destination(state="stopped", reason="the credential was refused (401)")
    (check,) = needs_attention(overview(project(destinations={name: stopped})))
    assert check.advice.startswith(what)


def test_an_outbox_that_is_nearly_full_is_told_with_what_services_see() -> None:
    for mib, verdicts in ((115, []), (116, ["warn"])):
        found = attention(
            destinations={"events-outbox": destination(unit="records", behind=9)},
            outboxes={"events-outbox": outbox(9, mib * MIB)},
        )
        assert [verdict for verdict, _, _ in found] == verdicts
    assert found[0][2] == "91% of OUTBOX_CAP_BYTES is waiting: services are answered 429"


def test_a_full_outbox_of_a_stopped_destination_is_told_with_why_it_stopped() -> None:
    ((verdict, name, text),) = attention(
        destinations={"events-outbox": destination(state="stopped", reason="the credential was refused")},
        outboxes={"events-outbox": outbox(9, 128 * MIB)},
    )
    assert (verdict, name) == ("fail", "events-outbox")
    assert text.startswith("stopped: the credential was refused; 100% of OUTBOX_CAP_BYTES is waiting")


def test_pages_that_are_held_up_for_minutes_are_told_with_the_reason() -> None:
    for age_s, number in ((299, 0), (301, 1)):
        waits = LaneState("apply", "waiting", "applying waits", NOW_MS - age_s * 1000, NOW_MS)
        found = attention(lanes=[waits, LaneState("profiles", "idle", "", NOW_MS - 9_000_000, None)])
        assert len(found) == number
    assert found == [("warn", "apply", "has not got on for 301 s: applying waits")]


def test_a_lag_of_more_than_five_minutes_is_told_and_a_shorter_one_is_not() -> None:
    assert attention(destinations={"profiles": destination(behind=9, lag_s=299.0)}) == []
    ((verdict, _, text),) = attention(destinations={"profiles": destination(behind=9, lag_s=301.0)})
    assert verdict == "warn"
    assert "301 s" in text


def test_pages_set_aside_fail_and_dead_letters_are_to_know_about() -> None:
    assert [found[:2] for found in attention(set_aside=1, dead_letters=2)] == [
        ("fail", "set aside"),
        ("warn", "dead letters"),
    ]


def test_dead_letters_that_had_to_go_are_counted() -> None:
    ((_, _, text),) = attention(dead_letters=100, dead_letters_dropped=7)
    assert "7 older ones were dropped" in text


def test_cohorts_in_doubt_are_named_by_id_and_the_rest_are_not() -> None:
    doubtful = [cohort("8", suspect="a page was set aside"), cohort("9", partial="proven")]
    ((verdict, _, text),) = attention(cohorts=[cohort("7", partial="assumed"), *doubtful])
    assert verdict == "warn"
    assert text.endswith("cohort 8, 9")


def test_of_many_cohorts_in_doubt_only_some_are_named() -> None:
    ((_, _, text),) = attention(cohorts=[cohort(str(n), suspect="x") for n in range(20)])
    assert text.endswith("and 15 more")


def test_a_silent_process_is_worse_than_a_warning_and_comes_first() -> None:
    alive = {"clock@host-1": 1.0, "worker-mixpanel@host-3": 1.0, "worker-webhooks@host-4": 1.0}
    silent = processes({**alive, "worker-apply@host-2": 31.0})
    found = needs_attention(overview(project(dead_letters=1), processes=silent))
    assert [(check.verdict, check.name) for check in found] == [
        ("fail", "worker-apply"),
        ("warn", "dead letters"),
    ]


def test_queues_that_do_not_answer_are_a_failure_told_once() -> None:
    queues = (QueueStatus("apply", None, 1), QueueStatus("mixpanel", None, 1))
    (check,) = needs_attention(overview(queues=queues))
    assert (check.verdict, check.name) == ("fail", "queues")
