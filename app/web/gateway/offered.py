"""What the gateway offers of the catalog, and how it is called over HTTP."""

from collections.abc import Iterator
from typing import Final

from app.mixpanel.calling import arguments
from app.mixpanel.catalog.row import Endpoint, Parameter

WITHHELD: Final = frozenset({("service-accounts", "create")})
"""What answers with a credential of Mixpanel's: none leaves the relay this way."""
PICKLISTS: Final = {
    ("query", "funnels-list"): ("name", "funnel_id"),
    ("query", "cohorts"): ("name", "id"),
    ("pipelines", "list"): ("name", "name"),
}
"""Lists that people choose from: the fields of label and key."""
_DECIDED: Final = frozenset({"content-type", "content-encoding", "accept-encoding"})


def methods(row: Endpoint) -> tuple[str, ...]:
    """Return the methods that call an endpoint: what reads is asked with GET, or POST where much is asked."""
    return ("GET", "POST") if row.reads else (row.method,)


def takes_whole_body(row: Endpoint) -> bool:
    """Say whether a JSON object in the body goes to Mixpanel as it is, and is not made of arguments."""
    return row.body.kind == "json" and not row.reads


def parameters(row: Endpoint) -> Iterator[Parameter]:
    """Give the parameters that callers may name, each once: what the relay fills in is not among them."""
    seen: set[str] = set()
    for one in arguments.parameters(row):
        decided = one.where == "header" and one.name.lower() in _DECIDED
        if one.filled is None and not decided and one.name not in seen:
            seen.add(one.name)
            yield one
