"""What a token may do.

- `read`: look at everything that the relay knows.
- `operate`: change how it runs (resync, redrive, pause); who may do that may look, so it implies `read`.
- `ingest`: hand in events, profile operations, group operations and identity links; it implies nothing, so
  that a service that only sends cannot read anybody's data.
- `admin`: everything.
"""

from collections.abc import Collection, Mapping
from typing import Final, Literal

Scope = Literal["read", "operate", "ingest", "admin"]
SCOPES: Final[tuple[Scope, ...]] = ("read", "operate", "ingest", "admin")

_IMPLIED: Final[Mapping[Scope, frozenset[Scope]]] = {
    "read": frozenset({"read"}),
    "operate": frozenset({"operate", "read"}),
    "ingest": frozenset({"ingest"}),
    "admin": frozenset(SCOPES),
}


def allows(held: Collection[Scope], needed: Scope) -> bool:
    """Say whether one of the scopes that a token has is, or implies, the one that is needed."""
    return any(needed in _IMPLIED[scope] for scope in held)
