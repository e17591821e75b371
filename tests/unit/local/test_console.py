"""The terminal: one line for each thing, repetitions folded, colours only where they are wanted."""

import io
import json
from typing import Any

import pytest

from app.local.console import Console, colour_wanted


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now_s


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def record(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def test_a_warning_that_repeats_is_shown_once_and_then_counted() -> None:
    stream, clock = io.StringIO(), Clock()
    console = Console(stream, colour=False, clock=clock)
    for attempt in range(13):
        console.log("mixpanel", record(event="throttled", level="warning", attempt=attempt))
    clock.now_s += 61
    console.tick()
    first, second = stream.getvalue().splitlines()
    assert first.endswith("warning  mixpanel: throttled (attempt=0)")
    assert second.endswith("warning  mixpanel: throttled (12 times more within 60 s)")


def test_different_warnings_are_not_folded_into_each_other() -> None:
    stream = io.StringIO()
    console = Console(stream, colour=False, clock=Clock())
    for process, event in (("web", "a"), ("web", "b"), ("clock", "a")):
        console.log(process, record(event=event, level="warning"))
    assert len(stream.getvalue().splitlines()) == 3


def test_finished_syncs_are_never_folded_and_have_a_header() -> None:
    stream = io.StringIO()
    console = Console(stream, colour=False, clock=Clock())
    for _ in range(3):
        console.log("mixpanel", record(event="sync_delivered", cohort_name="VIP"))
    lines = stream.getvalue().splitlines()
    assert [line.split()[1] for line in lines] == ["cohort", "VIP", "VIP", "VIP"]


def test_a_long_warning_is_cut_to_the_terminal_and_an_explanation_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    console = Console(stream, colour=False, clock=Clock())
    console.log("web", record(event="x" * 500, level="error"))
    console.complain("y" * 500)
    cut, whole = stream.getvalue().splitlines()
    assert len(cut) == 60
    assert whole.endswith("y" * 500)


def test_no_colour_codes_are_written_without_colours() -> None:
    plain, coloured = io.StringIO(), io.StringIO()
    for stream, colour in ((plain, False), (coloured, True)):
        Console(stream, colour=colour, clock=Clock()).complain("broken")
    assert "\x1b" not in plain.getvalue()
    assert "\x1b[31mbroken\x1b[0m" in coloured.getvalue()


@pytest.mark.parametrize(
    ("stream", "environ", "wanted"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colours_are_for_terminals_unless_refused(
    stream: io.StringIO, environ: dict[str, str], wanted: bool
) -> None:
    assert colour_wanted(stream, environ) is wanted


def test_a_terminal_that_is_gone_keeps_nothing_from_ending_in_order() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    Console(Gone(), colour=False, clock=Clock()).say("Stopping")
