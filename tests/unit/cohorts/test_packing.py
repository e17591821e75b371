"""Members are packed without loss: equal in, equal out, different stay different."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from app.cohorts.epochs import Entry
from app.cohorts.packing import (
    fingerprint,
    pack_entry,
    pack_id,
    pack_ids,
    unpack_entry,
    unpack_id,
    unpack_ids,
)

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
uuids = st.uuids().map(str)
distinct_ids = (
    uuids
    | uuids.map(str.upper)
    | texts
    | st.text("0123456789abcdef", min_size=16, max_size=16)
    | st.text("é", min_size=8, max_size=8)
    | uuids.map(lambda each: f"$device:{each}")
)
entries = st.builds(
    Entry,
    now=st.booleans(),
    was=st.booleans(),
    epoch=st.integers(0, (1 << 28) - 1),
    also=st.booleans(),
    again=st.booleans(),
    entered=st.integers(0, (1 << 32) - 1),
    fingerprint=st.integers(0, (1 << 64) - 1),
)


@given(distinct_ids)
def test_an_id_comes_back_as_it_was(distinct_id: str) -> None:
    assert unpack_id(pack_id(distinct_id)) == distinct_id


@given(distinct_ids, distinct_ids)
def test_different_ids_stay_different(one: str, two: str) -> None:
    assert (pack_id(one) == pack_id(two)) == (one == two)


@given(uuids)
def test_the_text_of_a_uuids_own_bytes_is_somebody_else(text: str) -> None:
    own = uuid.UUID(text).bytes
    assert len(pack_id(text)) == 16
    other = own.decode("latin-1")
    assert pack_id(other) != pack_id(text)


@given(st.lists(distinct_ids, max_size=20))
def test_joined_ids_are_taken_apart_again(joined: list[str]) -> None:
    packed = [pack_id(each) for each in joined]
    assert list(unpack_ids(pack_ids(packed))) == packed


@given(entries)
def test_an_entry_comes_back_as_it_was_in_8_or_16_bytes(entry: Entry) -> None:
    packed = pack_entry(entry)
    assert unpack_entry(packed) == entry
    assert len(packed) == (16 if entry.fingerprint else 8)


@given(st.binary())
def test_a_fingerprint_is_never_the_one_that_stands_for_none(encoded: bytes) -> None:
    assert 0 < fingerprint(encoded) < 1 << 64
    assert fingerprint(encoded) == fingerprint(encoded)
