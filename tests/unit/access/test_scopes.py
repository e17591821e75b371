"""What a scope implies: a table."""

import pytest

from app.access.scopes import SCOPES, Scope, allows

IMPLIED: dict[Scope, set[Scope]] = {
    "read": {"read"},
    "operate": {"operate", "read"},
    "ingest": {"ingest"},
    "admin": {"read", "operate", "ingest", "admin"},
}


@pytest.mark.parametrize("held", SCOPES)
@pytest.mark.parametrize("needed", SCOPES)
def test_a_scope_allows_what_it_implies_and_nothing_else(held: Scope, needed: Scope) -> None:
    assert allows([held], needed) == (needed in IMPLIED[held])


def test_several_scopes_allow_what_any_of_them_does() -> None:
    assert allows(["read", "ingest"], "ingest")
    assert not allows(["read", "ingest"], "operate")
    assert not allows([], "read")
