"""What a token looks like, and that only the right one matches what is kept."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.token import PATTERN, Token, digest_of, id_of, make, matches


def test_a_token_has_the_form_that_scanners_look_for_and_a_secret_of_256_bits() -> None:
    token_id, text = make()
    assert PATTERN.fullmatch(text.reveal())
    assert id_of(text.reveal()) == token_id
    assert 62**43 > 2**256
    assert text.reveal() not in f"{text} {text!r}"


def test_no_two_tokens_are_alike() -> None:
    assert len({make()[1].reveal() for _ in range(100)}) == 100


def test_what_is_kept_does_not_hold_the_token() -> None:
    _, text = make()
    assert text.reveal().rpartition("_")[2].encode() not in digest_of(text.reveal())


@given(st.integers(0, 58), st.sampled_from(string.ascii_letters + string.digits + "_- é"))
def test_a_token_with_one_character_changed_is_another(place: int, char: str) -> None:
    text = f"crt_{'a' * 12}_{'b' * 43}"
    changed = text[:place] + char + text[place + 1 :]
    assert matches(changed, digest_of(text)) == (changed == text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "crt", "crt__", f"crt_{'a' * 11}_{'b' * 43}", f"crt_{'a' * 12}_{'b' * 42}"),
        *(f"crt_{'a' * 12}_{'b' * 43}\n", f"xcrt_{'a' * 12}_{'b' * 43}", f"crt_{'a' * 12}_{'b' * 43}b"),
        *(f"crt_{'٣' * 12}_{'b' * 43}", f"crt_{'a:' * 6}_{'b' * 43}"),
    ],
)
def test_what_cannot_be_a_token_has_no_id(text: str) -> None:
    assert id_of(text) is None


def test_nothing_kept_matches_nothing() -> None:
    assert not matches("", b"")
    assert not matches("crt_", b"")


def test_a_token_expires_at_its_time_and_reaches_its_project_only() -> None:
    bound = Token("a" * 12, "n", ("read",), "7", created_ms=0, expires_ms=100)
    assert (bound.expired(99), bound.expired(100)) == (False, True)
    assert (bound.reaches("7"), bound.reaches("77")) == (True, False)
    free = Token("a" * 12, "n", ("read",), None, created_ms=0)
    assert not free.expired(10**15)
    assert free.reaches("7")
