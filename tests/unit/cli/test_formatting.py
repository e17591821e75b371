import pytest

from app.cli.formatting import ago, clean, duration, moment, plural, size, table
from tests.unit.status.states import NOW_MS


@pytest.mark.parametrize(
    ("value_s", "text"),
    [
        (-1.0, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3_725, "1 h 2 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(value_s: float, text: str) -> None:
    assert duration(value_s) == text


@pytest.mark.parametrize(
    ("value_bytes", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1536, "1.5 KiB"),
        (200 * 1024, "200 KiB"),
        (64 * 1024**2, "64.0 MiB"),
        (3 * 1024**4, "3,072.0 GiB"),
    ],
)
def test_a_size_is_written_in_the_unit_that_leaves_it_short(value_bytes: int, text: str) -> None:
    assert size(value_bytes) == text


def test_a_time_is_written_in_utc_and_none_as_never() -> None:
    assert moment(NOW_MS) == "2025-08-05 09:30:00 UTC"
    assert moment(0) == moment(None) == ago(0, NOW_MS) == "never"
    assert ago(NOW_MS - 61_000, NOW_MS) == "1 min 1 s ago"


def test_one_is_singular() -> None:
    assert (plural(1, "page"), plural(0, "page"), plural(1200, "page")) == (
        "1 page",
        "0 pages",
        "1,200 pages",
    )


def test_what_a_terminal_would_act_upon_is_taken_out_of_a_name() -> None:
    assert clean("VIP\x1b[31m\r\nred\u202e") == "VIP [31m  red "
    assert clean("é 猫") == "é 猫"


def test_a_long_name_is_cut_with_dots() -> None:
    assert clean("x" * 41) == "x" * 37 + "..."
    assert clean("x" * 40) == "x" * 40


def test_columns_of_numbers_are_aligned_to_the_right_and_wide_characters_take_their_room() -> None:
    lines = table(("name", "members"), [("猫", "5"), ("cat", "1,234")], numbers=["members"]).splitlines()
    assert lines[2].endswith("    5")
    assert lines[3].endswith("1,234")
    assert len(lines[2]) + 1 == len(lines[3])  # one character that is two columns wide


def test_an_id_that_looks_like_a_number_is_left_as_it_is() -> None:
    assert "0012" in table(("cohort",), [("0012",)])
