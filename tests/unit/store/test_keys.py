"""Key names: one slot a project, and no two things under one name."""

import inspect
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.store import keys

OF_PROJECT = {
    name: function
    for name, function in inspect.getmembers(keys, inspect.isfunction)
    if not name.startswith("_")
    and function.__module__ == keys.__name__
    and "project_id" in inspect.signature(function).parameters
}
ids = st.text(st.characters(codec=None), min_size=1, max_size=6) | st.sampled_from(
    ("c", "c:epochs", "a:b", "a%3Ab", "m", "s", "named", "pages", "1", "é", "{x}")
)


def arguments(function: Callable[..., str], texts: list[str], number: int) -> list[Any]:
    texts = list(texts)
    parameters = list(inspect.signature(function).parameters.values())[1:]
    # What is called a name is one of ours: of a lane, a destination, an outbox.
    return [
        number if each.annotation in (int, "int") else "apply" if each.name == "name" else texts.pop()
        for each in parameters
    ]


@given(
    one=st.tuples(
        st.sampled_from(sorted(OF_PROJECT)), st.lists(ids, min_size=2, max_size=2), st.integers(0, 3)
    ),
    two=st.tuples(
        st.sampled_from(sorted(OF_PROJECT)), st.lists(ids, min_size=2, max_size=2), st.integers(0, 3)
    ),
)
def test_two_things_never_share_a_key(
    one: tuple[str, list[str], int], two: tuple[str, list[str], int]
) -> None:
    made = []
    for name, texts, number in (one, two):
        function = OF_PROJECT[name]
        used = arguments(function, texts, number)
        made.append(((name, used), function("7", *used)))
    (first, first_key), (second, second_key) = made
    assert (first == second) == (first_key == second_key)


@given(name=st.sampled_from(sorted(OF_PROJECT)), texts=st.lists(ids, min_size=2, max_size=2))
def test_a_projects_keys_lie_in_one_slot_whatever_the_ids_hold(name: str, texts: list[str]) -> None:
    key = OF_PROJECT[name]("7", *arguments(OF_PROJECT[name], texts, 1))
    assert key.startswith("cr:{7}:")
    assert key.isascii()


def test_every_key_says_what_it_is_and_how_long_it_lives() -> None:
    kinds = ("Hash", "Stream", "String", "Set", "Sorted set", "List")
    for name, function in inspect.getmembers(keys, inspect.isfunction):
        if not name.startswith("_") and function.__module__ == keys.__name__:
            assert (inspect.getdoc(function) or "").startswith(kinds), name
