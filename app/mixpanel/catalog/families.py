"""The families of endpoints: what they are for, and what a request that no row describes goes out with."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.mixpanel.catalog.row import Budget, CredentialKind, Host

LIMITS: Final[Mapping[Budget, str]] = MappingProxyType(
    {
        "ingestion": "2 GB of JSON or 1,800,000 records a minute",
        "query": "60 an hour, 5 at once, 3 a second",
        "export": "60 an hour, 100 at once, 3 a second",
        "lexicon": "5 a minute",
        "gdpr": "1 a second",
    }
)
"""Mixpanel's limits of each budget, per project. Source: its pages on rate limits."""


@dataclass(frozen=True, slots=True)
class Family:
    """Describe a family.

    Attributes:
        name: As its rows name it.
        title: As people name it.
        host: Which of the project's hosts serves most of it.
        credentials: Kinds that it takes, the best first.
        budget: Whose limits it counts against; None: no limit is documented.
    """

    name: str
    title: str
    host: Host
    credentials: tuple[CredentialKind, ...]
    budget: Budget | None = None


_ACCOUNT: Final[tuple[CredentialKind, ...]] = ("service_account",)
_ACCOUNT_OR_SECRET: Final[tuple[CredentialKind, ...]] = ("service_account", "project_secret")
_SENDING: Final[tuple[CredentialKind, ...]] = ("service_account", "project_token", "project_secret", "oauth")

FAMILIES: Final[Mapping[str, Family]] = MappingProxyType(
    {
        one.name: one
        for one in (
            Family(
                "ingestion", "Events, profiles, groups, lookup tables", "ingestion", _SENDING, "ingestion"
            ),
            Family("identity", "Identities", "ingestion", _SENDING, "ingestion"),
            Family("query", "Reports, events, cohorts, profiles", "query", _ACCOUNT_OR_SECRET, "query"),
            Family("export", "Raw events", "export", _ACCOUNT_OR_SECRET, "export"),
            Family("pipelines", "Data pipelines", "pipelines", _ACCOUNT_OR_SECRET),
            Family("lexicon", "Lexicon schemas", "app", _ACCOUNT, "lexicon"),
            Family("annotations", "Annotations", "app", _ACCOUNT),
            Family("gdpr", "GDPR and CCPA: retrievals and deletions", "app", ("oauth",), "gdpr"),
            Family("warehouse", "Warehouse imports", "app", _ACCOUNT),
            Family("service-accounts", "Service accounts", "app", _ACCOUNT),
            Family("experiments", "Experiments", "app", _ACCOUNT),
            Family("feature-flags", "Feature flags", "app", _ACCOUNT_OR_SECRET),
            Family(
                "legacy", "Data API v2, for projects that still have it", "legacy", ("signature",), "query"
            ),
        )
    }
)
"""Every family by its name, in the order in which they are shown."""
