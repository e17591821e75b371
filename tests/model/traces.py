"""The regression traces of the specification of epochs, each a mistake of some version of the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = ("torn", "add", "remove", "restart")


def _trusting() -> Mapping[str, int]:
    return dict.fromkeys(KINDS, 1)


@dataclass(frozen=True)
class Regression:
    """A trace in the notation, who is in the cohort at its end, and what the project has learned before it.

    `one_id`: whether the project is known to use one session id for both calls of a sync.
    """

    number: int
    trace: str
    ends_as: frozenset[str]
    trust: Mapping[str, int] = field(default_factory=_trusting)
    one_id: bool = True
    why: str = ""


def _of(*names: str) -> frozenset[str]:
    return frozenset(names)


REGRESSIONS: tuple[Regression, ...] = (
    Regression(1, "M0{a} | +1{b} -1{a} | +2{b} | +3{} -3{}", _of("a"), why="a lost last answer, then a half"),
    Regression(
        2, "M0{a} | +1{b} -1{a} | +2{} -2{} | +3{} -3{a}", _of(), why="an exact reversal counts as a success"
    ),
    Regression(
        3, "M0{c} | +1{a} | +2{b} -2{c}", _of("a", "b"), trust={}, why="a half stands without evidence"
    ),
    Regression(4, "M0{} | +1[1/2]{a} | +2[1/2]{} -2[2/2]{}", _of(), trust={}, why="a torn call falls"),
    Regression(5, "M0{a} | +1{b} +2{} -1{a} -2{}", _of("a"), why="the stale export completes in between"),
    Regression(
        6,
        "M0{} | +1[1/2]{a} +2{a} +1[2/2]{b} -1{} | +3{} -3{}",
        _of("a", "b"),
        why="the stale one began last",
    ),
    Regression(
        7, "M0{a} | +1{b} | M2[1/2]{a} | +3{} -3{}", _of("a"), why="a full list that failed takes nobody out"
    ),
    Regression(8, "M0{} | M1[1/2]{a} M2[1/2]{a} M1[2/2]{b}", _of("a", "b"), why="two full lists at once"),
    Regression(
        9, "M0{a,b} | +1{} -1{} |3d| +2{a} -2{}", _of("a"), why="an expired snapshot, answered by adds"
    ),
    Regression(
        10,
        "M0{} | +1[1/2]{a} +1[2/2]{b} | +1[1/2]{a} +1[2/2]{c} -1{}",
        _of("a", "c"),
        why="restarted under its id",
    ),
    Regression(
        11,
        "M0{a,b} | -1r{a} +1{} | -2r{} +2{c} | -3r{b} +3{}",
        _of("c"),
        one_id=False,
        why="a session id a call",
    ),
    Regression(
        12, "M0{} | +1{a,b} +2{a,c} -1{} -2{}", _of("a", "c"), why="both exports named the same person"
    ),
    Regression(13, "M0{a} | M1[0/0]{}", _of(), why="an empty cohort of no pages"),
    Regression(14, "M0{a} | M1{b} | +2{b} -2{}", _of("a", "b"), why="the full list's last answer was lost"),
)
