"""A funnel's name in place of its id."""

from typing import Any, cast

import orjson
import pytest

from app.mixpanel.calling.api import MixpanelApi
from app.mixpanel.calling.failures import CallFailed, InvalidArguments
from app.mixpanel.calling.names import with_ids
from app.mixpanel.calling.results import Result
from app.mixpanel.catalog.catalog import CATALOG
from config.projects import Project

FUNNELS, SEGMENTATION = CATALOG["query", "funnels"], CATALOG["query", "segmentation"]


class Listing:
    """Answers with the list that is kept, and with Mixpanel's where a fresh one is wanted."""

    def __init__(self, kept: Any, fresh: Any = None) -> None:
        self.kept, self.fresh = kept, fresh
        self.asked: list[bool] = []

    def call(self, _project: Project, family: str, name: str, *, fresh: bool, **_more: Any) -> Result:
        assert (family, name) == ("query", "funnels-list")
        self.asked.append(fresh)
        found = self.fresh if fresh else self.kept
        return Result(200, "application/json", orjson.dumps(found), "", from_cache=not fresh)


def asked(listing: Listing, name: Any) -> Any:
    api, project = cast("MixpanelApi", listing), cast("Project", None)
    return with_ids(api, project, FUNNELS, {"funnel_id": name, "unit": "day"})


def funnels(*names: str) -> list[dict[str, Any]]:
    return [{"funnel_id": 7000 + number, "name": name} for number, name in enumerate(names)]


def test_a_name_becomes_the_id_and_the_rest_stays() -> None:
    assert asked(Listing(funnels("A", "B")), "B") == {"funnel_id": 7001, "unit": "day"}


def test_the_case_matters_only_where_names_differ_by_nothing_else() -> None:
    assert asked(Listing(funnels("Signup", "signup")), "signup")["funnel_id"] == 7001
    assert asked(Listing(funnels("Signup")), " SIGNUP ")["funnel_id"] == 7000


@pytest.mark.parametrize("number", ["7001", " 7001 ", 7001])
def test_an_id_is_taken_as_it_is_and_costs_nothing(number: Any) -> None:
    listing = Listing(funnels("7001"))
    assert asked(listing, number)["funnel_id"] == number
    assert listing.asked == []


def test_a_funnel_that_is_newer_than_the_list_that_is_kept_is_found() -> None:
    listing = Listing(funnels("A"), funnels("A", "B"))
    assert asked(listing, "B")["funnel_id"] == 7001
    assert listing.asked == [False, True]


def test_a_name_of_none_or_of_several_is_refused() -> None:
    with pytest.raises(InvalidArguments, match="of no funnel"):
        asked(Listing(funnels("A"), funnels("A")), "B")
    with pytest.raises(InvalidArguments, match="of several funnels: 7000, 7001; give the id"):
        asked(Listing(funnels("A", "A")), "a")


def test_a_list_that_is_none_is_told() -> None:
    with pytest.raises(CallFailed) as caught:
        asked(Listing({"error": "x"}), "A")
    assert caught.value.problem.code == "unreadable"


def test_other_endpoints_are_left_alone() -> None:
    listing = cast("MixpanelApi", Listing([]))
    assert with_ids(listing, cast("Project", None), SEGMENTATION, {"event": "A"}) == {"event": "A"}
