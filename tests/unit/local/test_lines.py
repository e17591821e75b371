"""What of the processes' logs is shown at the terminal, and how."""

import json

import pytest

from app.local.lines import HEADER, Line, LineReader, brief, from_record, sync_text

SYNC = {
    "event": "sync_delivered",
    "level": "info",
    "cohort_id": "1",
    "session_id": "s",
    "cohort_name": "VIP customers",
    "entered": 1234,
    "exited": 56,
    "updated": 0,
    "members": 5000,
    "seconds": 3.21,
}


def shown(line: Line | None) -> str:
    assert line is not None
    return line.text


def test_a_finished_sync_is_one_line_with_its_numbers() -> None:
    text = sync_text(SYNC)
    assert text.split() == ["VIP", "customers", "+1,234", "-56", "0", "5,000", "3.2", "s"]


@pytest.mark.parametrize(
    "name", ["A", "A cohort whose name is longer than its column", "大切なお客様" * 5, "e\u0301"]
)
def test_finished_syncs_stand_in_columns_below_the_header_whatever_the_name(name: str) -> None:
    before = ("00:00:00  " + sync_text({**SYNC, "cohort_name": name})).removesuffix("    3.2 s")
    wide = sum(1 for character in before if ord(character) > 0x3000)
    accents = before.count("\u0301")
    assert len(before) + wide - accents == HEADER.index("  up to date")


def test_a_record_without_its_numbers_is_shown_all_the_same() -> None:
    assert "?" in sync_text({"event": "sync_delivered"})


def test_a_cohort_name_cannot_command_the_terminal() -> None:
    assert "\x1b" not in sync_text({**SYNC, "cohort_name": "\x1b[2Jgone"})


def test_information_is_left_to_the_logs() -> None:
    assert from_record("web", {"event": "page_accepted", "level": "info"}) is None


def test_a_warning_is_shown_with_its_process_and_short_fields() -> None:
    line = from_record(
        "mixpanel",
        {"event": "throttled", "level": "warning", "timestamp": "2026-01-01", "retry_after_s": 3.5},
    )
    assert line == Line(
        "warning", "mixpanel: throttled (retry_after_s=3.5)", ("mixpanel", "warning", "throttled")
    )


def test_a_refused_page_is_shown_with_why_and_not_folded_with_another_refusal() -> None:
    page = {
        "event": "page",
        "level": "warning",
        "project": "1",
        "cohort": "2",
        "session": "s",
        "action": "members",
    }
    counts = {"page": 1, "total": 1, "members": 5}
    away = {**page, **counts, "error": "ConnectionError", "outcome": "store_unavailable", "status": 503}
    unknown = {**page, **counts, "outcome": "unknown_project", "status": 404}
    lines = [from_record("web", away), from_record("web", unknown)]
    assert [shown(line).partition(", project")[0] for line in lines] == [
        "web: page: store_unavailable (status=503, error=ConnectionError",
        "web: page: unknown_project (status=404",
    ]
    assert len({line.key for line in lines if line}) == 2
    assert brief(json.dumps(unknown)).startswith("warning  page: unknown_project (status=404, ")


def test_of_an_exception_only_the_last_line_is_shown() -> None:
    record = {"event": "job_failed", "level": "error", "exception": "Traceback ...\n  File\nValueError: odd"}
    assert shown(from_record("apply", record)) == "apply: job_failed (ValueError: odd)"


def test_of_a_plain_traceback_only_the_last_line_is_shown() -> None:
    reader = LineReader()
    lines = [
        b"Traceback (most recent call last):",
        b'  File "x.py", line 1',
        b"",
        b"    f()",
        b"KeyError: 'a'",
        b"more",
    ]
    found = [line for line in (reader.read("web", each) for each in lines) if line]
    assert [line.text for line in found] == ["web: KeyError: 'a'"]


def test_tracebacks_of_two_processes_do_not_mix() -> None:
    reader = LineReader()
    reader.read("web", b"Traceback (most recent call last):")
    assert reader.read("clock", b"an ordinary line") is None


def test_the_end_of_a_log_is_shown_for_reading() -> None:
    record = {
        "event": "Worker failed",
        "level": "error",
        "logger": "x",
        "code": 3,
        "exception": "T\n  f\nKeyError: 1",
    }
    assert brief(json.dumps(record)) == "error    Worker failed (code=3, KeyError: 1)"
    assert brief("a plain line \x1b[2J") == "a plain line �[2J"
    assert len(brief("{" + "x" * 5000)) == 200


@pytest.mark.parametrize("line", [b"{broken", b"[1]", b"", b"\xff\xfe", b'{"event": 5}'])
def test_odd_lines_are_left_to_the_logs(line: bytes) -> None:
    assert LineReader().read("web", line) is None


def test_a_line_of_json_is_read() -> None:
    assert LineReader().read("mixpanel", json.dumps(SYNC).encode()) is not None
