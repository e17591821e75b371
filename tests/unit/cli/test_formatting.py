import pytest

from app.cli.doctor import line
from app.cli.formatting import ago, clean, duration, moment, plural, size, table
from app.status.checks import Check
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


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make standard output a terminal of 60 columns."""
    monkeypatch.setattr("app.cli.formatting.terminal_width", lambda: 60)
    monkeypatch.setattr("app.cli.doctor.terminal_width", lambda: 60)


@pytest.mark.usefixtures("narrow")
def test_a_table_that_is_broader_than_the_terminal_loses_what_is_spare_and_then_breaks_its_last_column() -> (
    None
):
    headers, row = ("id", "spare", "reason"), ("7", "x" * 30, "word " * 20)
    lines = table(headers, [row], spare=("spare",)).splitlines()
    assert "x" not in "".join(lines[2:])
    assert max(map(len, lines)) <= 60
    assert "".join(lines).count("word") == 20


@pytest.mark.usefixtures("narrow")
def test_a_table_that_fits_keeps_everything() -> None:
    assert "short" in table(("id", "spare"), [("7", "short")], spare=("spare",))


def test_what_is_no_terminal_gets_the_whole_width() -> None:
    assert "word " * 19 in table(("id", "reason"), [("7", "word " * 20)])


@pytest.mark.usefixtures("narrow")
def test_a_check_is_broken_below_itself_where_the_terminal_ends() -> None:
    first, *others = line(Check("memory", "fail", "found " * 12, "advice " * 12)).splitlines()
    assert first.startswith("  fail  memory")
    assert all(len(each) <= 60 and each.startswith(" " * 20) for each in others)
    assert sum(each.strip().startswith("-> ") for each in others) == 1
