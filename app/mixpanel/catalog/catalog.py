"""The catalog: every endpoint that is known, found by family and name.

CATALOG["query", "funnels"].path
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from app.mixpanel.catalog import (
    annotations,
    experiments,
    export,
    feature_flags,
    gdpr,
    groups,
    identity,
    ingestion,
    legacy,
    lexicon,
    lookup_tables,
    pipelines,
    profiles,
    query_events,
    query_people,
    query_reports,
    service_accounts,
    warehouse,
)
from app.mixpanel.catalog.row import Endpoint

_MODULES: Final = (
    ingestion,
    profiles,
    groups,
    lookup_tables,
    identity,
    query_reports,
    query_people,
    query_events,
    export,
    pipelines,
    lexicon,
    annotations,
    gdpr,
    warehouse,
    service_accounts,
    experiments,
    feature_flags,
    legacy,
)

CATALOG: Final[Mapping[tuple[str, str], Endpoint]] = MappingProxyType(
    {row.key: row for module in _MODULES for row in module.ENDPOINTS}
)
"""Every endpoint by family and name, in the order in which they are shown."""


def of_family(family: str) -> Iterator[Endpoint]:
    """Give the endpoints of a family."""
    return (row for row in CATALOG.values() if row.family == family)
