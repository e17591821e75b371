"""Tables of Mixpanel's answers: one of each shape that its descriptions show."""

from typing import Any

import pytest

from app.cli.mixpanel.tabular import rows_of, text

DAYS = {"2026-08-01": 1, "2026-08-02": 2}
MANY = {f"s{number}": {"2026-08-01": number} for number in range(9)}


@pytest.mark.parametrize(
    ("answer", "headers", "rows"),
    [
        (
            {"data": {"series": ["2026-08-01", "2026-08-02"], "values": {"A": DAYS, "B": {}}}},
            ["date", "A", "B"],
            [["2026-08-01", 1, None], ["2026-08-02", 2, None]],
        ),
        (
            {"computed_at": "x", "headers": ["$event"], "series": {"A": {"2026-08-01T00:00:00+02:00": 4}}},
            ["date", "A"],
            [["2026-08-01", 4]],
        ),
        (
            {"series": {"A": {"$overall": DAYS, "pro": DAYS}}},
            ["date", "A / $overall", "A / pro"],
            [["2026-08-01", 1, 1], ["2026-08-02", 2, 2]],
        ),
        ({"data": {"values": MANY}}, ["series", "2026-08-01"], [[f"s{n}", n] for n in range(9)]),
        (
            {
                "meta": {"dates": ["2026-08-01"]},
                "data": {"2026-08-01": {"steps": [{"count": 3}, {"count": 1}]}},
            },
            ["date", "step", "count"],
            [["2026-08-01", 1, 3], ["2026-08-01", 2, 1]],
        ),
        (
            {"2026-08-01": {"counts": [3, 1], "first": 3}},
            ["date", "counts 0", "counts 1", "first"],
            [["2026-08-01", 3, 1, 3]],
        ),
        ({"data": {"2026-08-01": [3, 1]}}, ["date", "0", "1"], [["2026-08-01", 3, 1]]),
        ([{"count": 2, "name": "VIP", "id": 7}], ["id", "name", "count"], [[7, "VIP", 2]]),
        (
            {"results": [{"$distinct_id": "u", "$properties": {"plan": "pro"}}], "page": 0, "total": 1},
            ["$distinct_id", "plan"],
            [["u", "pro"]],
        ),
        ({"2195193": [{"name": "p", "frequency": "daily"}]}, ["name", "frequency"], [["p", "daily"]]),
        ({"events": [{"amount": 2, "event": "A"}], "type": "general"}, ["event", "amount"], [["A", 2]]),
        (["A", "B"], ["value"], [["A"], ["B"]]),
        ({"status": "ok", "results": {"id": 7}}, ["name", "value"], [["id", 7]]),
        ({"code": 200, "status": "OK"}, ["name", "value"], [["code", 200], ["status", "OK"]]),
        ([], ["value"], []),
        ({"results": []}, ["value"], []),
        ({"failed": [{"task": 1}], "done": []}, ["name", "task"], [["failed", 1]]),
    ],
)
def test_an_answer_becomes_rows(answer: Any, headers: list[str], rows: list[list[Any]]) -> None:
    found = rows_of(answer)
    assert list(found.headers) == headers
    assert [list(row) for row in found.rows] == rows


def test_columns_of_numbers_are_known() -> None:
    assert rows_of([{"name": "a", "count": 1, "rate": 0.5, "on": True}]).numbers == ("count", "rate")


@pytest.mark.parametrize(
    ("cell", "shown"),
    [(None, ""), (True, "true"), (0.123456789, "0.123457"), (12_345_678.5, "12345678.50"), (["a"], '["a"]')],
)
def test_a_cell_is_written_briefly(cell: Any, shown: str) -> None:
    assert text(cell) == shown
