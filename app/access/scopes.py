"""What a token may do.

- `read`: look at everything that the relay knows.
- `operate`: change how it runs (resync, redrive, pause); who may do that may look, so it implies `read`.
- `ingest`: hand in events, profile operations, group operations and identity links; it implies nothing, so
  that a service that only sends cannot read anybody's data.
- `admin`: everything of the relay's own.
- `mixpanel:<family>.<endpoint>`, `mixpanel:<family>.*`: call endpoints of Mixpanel through the gateway. Only
  those that are named: no other scope implies them, `admin` neither, and none stands for all families.
- `mixpanel:budget`: look at what is left of Mixpanel's budgets; all scopes but `ingest` imply it.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal

Scope = Literal["read", "operate", "ingest", "admin"]
SCOPES: Final[tuple[Scope, ...]] = ("read", "operate", "ingest", "admin")
BUDGET: Final = "mixpanel:budget"

_IMPLIED: Final[Mapping[str, frozenset[str]]] = {
    "read": frozenset({"read", BUDGET}),
    "operate": frozenset({"operate", "read", BUDGET}),
    "ingest": frozenset({"ingest"}),
    "admin": frozenset({*SCOPES, BUDGET}),
}
_GATEWAY: Final = re.compile(r"mixpanel:(?:budget|[a-z0-9-]{1,50}\.(?:\*|[a-z0-9-]{1,50}))")


def allows(held: Collection[str], needed: str) -> bool:
    """Say whether one of the scopes that a token has is, or implies, the one that is needed."""
    if needed in held or any(needed in _IMPLIED.get(scope, ()) for scope in held):
        return True
    if not is_of_gateway(needed):
        return False
    if needed == BUDGET:
        return any(map(is_of_gateway, held))
    return f"{needed.partition('.')[0]}.*" in held


def of_endpoint(family: str, name: str) -> str:
    """Return the scope that calling an endpoint of Mixpanel needs."""
    return f"mixpanel:{family}.{name}"


def is_of_gateway(scope: str) -> bool:
    """Say whether a scope is one for Mixpanel's endpoints, by its form."""
    return _GATEWAY.fullmatch(scope) is not None


def in_order(scopes: Iterable[str]) -> tuple[str, ...]:
    """Return those that are scopes, each once: the relay's own first."""
    given = set(scopes)
    own = tuple(scope for scope in SCOPES if scope in given)
    return (*own, *sorted(filter(is_of_gateway, given)))
