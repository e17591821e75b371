import pytest

from app.access.scopes import BUDGET, SCOPES, allows, in_order, is_of_gateway, of_endpoint

FUNNELS = of_endpoint("query", "funnels")


@pytest.mark.parametrize(
    ("held", "allowed"),
    [
        (["mixpanel:query.funnels"], True),
        (["mixpanel:query.*"], True),
        (["read", "mixpanel:query.*"], True),
        ([*SCOPES, BUDGET], False),
        (["mixpanel:query.funnels-list"], False),
        (["mixpanel:query.fun"], False),
        (["mixpanel:export.*"], False),
        (["mixpanel:*", "mixpanel:*.*", "mixpanel:query"], False),
        ([], False),
    ],
)
def test_an_endpoint_is_allowed_by_its_own_scope_and_its_familys_alone(
    held: list[str], allowed: bool
) -> None:
    assert allows(held, FUNNELS) is allowed


def test_no_scope_of_an_endpoint_allows_anything_of_the_relay() -> None:
    for needed in SCOPES:
        assert not allows(["mixpanel:query.*", "mixpanel:read.admin", BUDGET], needed)


def test_budgets_are_shown_to_all_but_those_who_only_hand_in() -> None:
    assert all(allows([held], BUDGET) for held in ("read", "operate", "admin", FUNNELS, BUDGET))
    assert not allows(["ingest"], BUDGET)


@pytest.mark.parametrize(
    "text", ["", "mixpanel:", "mixpanel:query", "mixpanel:*", "mixpanel:query.", "mixpanel:Query.a", "x:a.b"]
)
def test_what_has_not_the_form_is_no_scope(text: str) -> None:
    assert not is_of_gateway(text)


def test_scopes_are_kept_each_once_and_what_is_none_is_dropped() -> None:
    given = ["mixpanel:query.b", "admin", "nothing", "mixpanel:query.a", "read", "admin"]
    assert in_order(given) == ("read", "admin", "mixpanel:query.a", "mixpanel:query.b")
