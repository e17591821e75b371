import pytest

from app.cli.doctor import line, summary
from app.cli.status import _parts, attention_text
from app.cli.status_tables import (
    cohorts_table,
    destinations_table,
    lanes_table,
    outboxes_table,
    projects_table,
)
from app.lanes.state import LaneState
from app.status.checks import Check
from tests.unit.status.states import MIB, NOW_MS, cohort, destination, inbox, outbox, overview, project


def test_a_project_is_one_line_with_its_counts() -> None:
    table = projects_table(overview(project(inbox=inbox(3, 4096), dead_letters=2, quarantined=1)))
    (row,) = table.splitlines()[2:]
    assert row.split() == ["1001", "Shop", "eu", "1", "1,234", "3", "pages,", "4.0", "KiB", "0", "1", "2"]


def test_a_destination_shows_since_when_it_is_not_ok() -> None:
    retrying = destination(state="retrying", since_ms=NOW_MS - 60_000, tries=4, behind=1500, lag_s=90.0)
    (row,) = destinations_table(overview(project(destinations={"profiles": retrying}))).splitlines()[2:]
    assert row.split("  ")[0] == "1001"
    for part in ("retrying", "1 min 0 s ago", "1,500", "1 min 30 s", "4", "5,678", "3 s ago"):
        assert part in row


def test_lanes_show_how_long_and_why() -> None:
    lanes = [
        LaneState("apply", "queued", "", NOW_MS - 2_000, None),
        LaneState("profiles", "waiting", "the server answered 503", NOW_MS - 3_660_000, NOW_MS + 12_000),
        LaneState("events", "running", "", NOW_MS - 1_000, NOW_MS + 15_000),
        LaneState("groups-outbox", "idle", "", None, None),
    ]
    queued, waiting, running, idle = lanes_table(overview(project(lanes=lanes))).splitlines()[2:]
    assert queued.split() == ["1001", "apply", "queued", "2", "s"]
    assert "waiting  1 h 1 min  again in 12 s    the server answered 503" in waiting
    assert running.endswith("1 s  leased for 15 s")
    assert idle.split() == ["1001", "groups-outbox", "idle"]


def test_outboxes_show_how_much_of_their_room_is_in_use() -> None:
    used = {"events-outbox": outbox(1500, 32 * MIB)}
    (row,) = outboxes_table(overview(project(outboxes=used))).splitlines()[2:]
    assert row.split() == ["1001", "events", "1,500", "32.0", "MiB", "25%", "of", "128", "MiB"]


def test_how_far_behind_is_told_in_the_destinations_own_unit_and_who_waits_for_links() -> None:
    found = {
        "profiles": destination(behind=3, waiting=12),
        "events-outbox": destination(behind=2000, unit="records"),
    }
    profiles, events = destinations_table(overview(project(destinations=found))).splitlines()[2:]
    assert "3 entries" in profiles
    assert " 12 " in profiles
    assert "2,000 records" in events


FULL = overview(
    project(
        name="A shop with a rather long name",
        destinations={
            name: destination(state="retrying", since_ms=NOW_MS - 4_000_000, behind=123_456, lag_s=4_000.0)
            for name in ("profiles", "identity-outbox")
        },
        outboxes={"identity-outbox": outbox(123_456, MIB)},
        lanes=[LaneState("identity-outbox", "waiting", "x" * 9 + " y" * 30, NOW_MS - 4_000_000, NOW_MS + 1)],
        cohorts=[cohort("1234567", name="n" * 60, suspect="a page could not be applied and was set aside")],
    )
)


@pytest.mark.parametrize("width", [80, 90, 100, 110, 120, 200])
def test_every_table_fits_its_terminal(width: int) -> None:
    text = "\n".join(_parts(FULL, [Check("profiles", "fail", "so " * 60, "do " * 60, "1001")], width))
    assert max(map(len, text.splitlines())) <= width
    for kept in ("retrying", "123,456", "SUSPECT", "1234567", "identity-outbox"):
        assert kept in text


def test_a_program_that_reads_the_output_gets_every_column_whole() -> None:
    text = "\n".join(_parts(FULL, [], None))
    for kept in ("region", "moved", "tries", "x" * 9 + " y" * 30):
        assert kept in text


def test_a_cohorts_notes_say_what_is_special() -> None:
    special = cohort(suspect="a page was set aside", partial="assumed", renaming_from=("Old",), synced_ms=0)
    (row,) = cohorts_table(overview(project(cohorts=[special]))).splitlines()[2:]
    assert "never" in row
    for note in ("SUSPECT: a page was set aside", "no full list yet", "being renamed from Old"):
        assert note in row


def test_without_cohorts_it_says_where_they_come_from() -> None:
    assert "first page" in cohorts_table(overview(project(cohorts=[])))


def test_nothing_to_attend_to_is_said_in_words() -> None:
    assert attention_text([]) == "All is well."


def test_what_needs_attention_stands_with_whose_it_is_and_what_to_do() -> None:
    text = attention_text([Check("profiles", "fail", "stopped: 401", "correct the credential", "1001")])
    assert "FAIL  project 1001, profiles: stopped: 401\n      -> correct the credential" in text


def test_a_check_is_a_line_and_its_advice_another_below_what_was_found() -> None:
    first, second = line(Check("redis", "fail", "away", "start it")).splitlines()
    assert first.startswith("  fail  redis ")
    assert second.index("->") == first.index("away")


def test_colour_is_added_around_the_verdict_only_when_asked_for() -> None:
    check = Check("redis", "ok", "fine")
    assert "\x1b[" not in line(check)
    assert line(check, colour=True).count("\x1b[") == 2


def test_the_summary_counts_what_failed_and_what_is_to_know() -> None:
    fine, odd, bad = (Check("x", verdict, "") for verdict in ("ok", "warn", "fail"))
    assert summary([fine]) == "All 1 checks are fine."
    assert summary([fine, odd, bad]) == "3 checks: 1 failed, 1 to know about."
