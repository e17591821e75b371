"""The ids that Mixpanel refuses."""

import pytest

from app.mixpanel.refused_ids import REFUSED_IDS, is_refused_id


def test_every_id_of_the_documented_list_is_refused() -> None:
    assert len(REFUSED_IDS) == 17
    assert all(map(is_refused_id, REFUSED_IDS))


@pytest.mark.parametrize("distinct_id", ["u1", "Anonymous", "00", "1", "$device:anon", " anon", ""])
def test_any_other_id_is_not(distinct_id: str) -> None:
    assert not is_refused_id(distinct_id)
