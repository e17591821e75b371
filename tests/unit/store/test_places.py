"""Whose a key is, by its name. What is nobody's must not look like a project's, or it goes with one."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.store import keys
from app.store.keys import Place
from tests.unit.store.test_keys import OF_PROJECT, arguments, ids

OF_NOBODY = {
    name: function
    for name, function in inspect.getmembers(keys, inspect.isfunction)
    if not name.startswith("_") and function.__module__ == keys.__name__ and name not in OF_PROJECT
}


@given(
    name=st.sampled_from(sorted(OF_PROJECT)),
    project_id=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True).filter(
        lambda text: text not in keys.OF_NO_PROJECT
    ),
    texts=st.lists(ids, min_size=3, max_size=3),
)
def test_a_projects_key_says_whose_it_is(name: str, project_id: str, texts: list[str]) -> None:
    function = OF_PROJECT[name]
    place = Place.of(function(project_id, *arguments(function, texts, 1)).encode())
    assert place is not None
    assert place.project_id == project_id
    assert place.kind


@pytest.mark.parametrize("name", sorted(OF_NOBODY))
def test_a_key_of_no_project_says_so(name: str) -> None:
    function = OF_NOBODY[name]
    made = function(*(["x"] * len(inspect.signature(function).parameters)))
    place = Place.of(made.encode())
    assert place is not None, f"{made}: its kind has letters and hyphens only"
    assert place.project_id == "", f"{made}: add its hash tag to OF_NO_PROJECT"


@pytest.mark.parametrize(
    "name", [b"rq:job:1", b"x", b"", b"\xff\xfe", b"cr:", b"crx:{7}:log", b"cr:{a b}:log"]
)
def test_what_is_not_ours_has_no_place(name: bytes) -> None:
    assert Place.of(name) is None
