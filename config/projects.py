"""The Mixpanel projects that are served: who they are, how to reach them, what their rules are."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Literal

from config.links import IdManagement
from config.rules import DEFAULT_RULES, RuleSet
from config.secret import Secret

Region = Literal["us", "eu", "in"]
DEFAULT_SOURCE: Final = "cohort-relay"
REGIONS: Final[tuple[Region, ...]] = ("us", "eu", "in")


@dataclass(frozen=True, slots=True)
class Hosts:
    """The base URL of each family of Mixpanel's API, without a slash at the end."""

    ingestion: str
    query: str
    export: str
    pipelines: str
    app: str
    legacy: str

    def overridden(self, by: Mapping[str, str]) -> "Hosts":
        """Replace the families that `by` names."""
        changes: dict[str, Any] = dict(by)
        return replace(self, **changes)


# Source: Mixpanel's documentation of data residency.
HOSTS: Final[Mapping[Region, Hosts]] = MappingProxyType(
    {
        "us": Hosts(
            ingestion="https://api.mixpanel.com",
            query="https://mixpanel.com/api/query",
            export="https://data.mixpanel.com/api/2.0",
            pipelines="https://data.mixpanel.com/api/2.0",
            app="https://mixpanel.com/api/app",
            legacy="https://mixpanel.com/api/2.0",
        ),
        "eu": Hosts(
            ingestion="https://api-eu.mixpanel.com",
            query="https://eu.mixpanel.com/api/query",
            export="https://data-eu.mixpanel.com/api/2.0",
            pipelines="https://data-eu.mixpanel.com/api/2.0",
            app="https://eu.mixpanel.com/api/app",
            legacy="https://eu.mixpanel.com/api/2.0",
        ),
        "in": Hosts(
            ingestion="https://api-in.mixpanel.com",
            query="https://in.mixpanel.com/api/query",
            export="https://data-in.mixpanel.com/api/2.0",
            pipelines="https://data-in.mixpanel.com/api/2.0",
            app="https://in.mixpanel.com/api/app",
            legacy="https://in.mixpanel.com/api/2.0",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Mixpanel's recommended credential (HTTP Basic, with the project's id in the query)."""

    username: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class Credential:
    """What Mixpanel presents to our webhook (HTTP Basic). A project may have several, for rotation."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Project:
    """One Mixpanel project."""

    id: str
    name: str
    region: Region
    token: Secret
    hosts: Hosts
    webhook_credentials: tuple[Credential, ...]
    service_account: ServiceAccount | None = None
    id_management: IdManagement = "simplified"
    integration_id: str | None = None
    never_pause: bool = False
    rules: RuleSet = DEFAULT_RULES
    oauth_token: Secret | None = None
    project_secret: Secret | None = None
    api_key: Secret | None = None

    @property
    def source(self) -> str:
        """What events name as their `$source`."""
        return self.integration_id or DEFAULT_SOURCE


class Projects(Mapping[str, Project]):
    """The projects by id, in the file's order. Two of them may share a webhook credential."""

    def __init__(self, projects: Iterable[Project] = ()) -> None:
        self._by_id = {project.id: project for project in projects}

    def __getitem__(self, project_id: str) -> Project:
        return self._by_id[project_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_id)

    def __len__(self) -> int:
        return len(self._by_id)

    def __repr__(self) -> str:
        return f"Projects({', '.join(self._by_id)})"
