"""The API half, put together."""

from dataclasses import dataclass

from app.sandbox.api.credentials import Credentials
from app.sandbox.api.deletions import Deletions
from app.sandbox.api.endpoint import Endpoint, Surroundings
from app.sandbox.api.event_doors import ImportDoor, TrackDoor
from app.sandbox.api.event_ingest import EventIngest
from app.sandbox.api.export import Export
from app.sandbox.api.profile_doors import EngageDoor, GroupsDoor
from app.sandbox.api.query import Query, QueryStores
from app.sandbox.config import SandboxConfig
from app.sandbox.identity.linking import Linker
from app.sandbox.store.database import Database
from app.sandbox.store.deletions import Deletions as StoredDeletions
from app.sandbox.store.events import Events
from app.sandbox.store.groups import Groups
from app.sandbox.store.identities import Identities
from app.sandbox.store.profiles import Profiles


@dataclass(frozen=True)
class ApiStores:
    """What the API reads and writes."""

    database: Database
    profiles: Profiles
    groups: Groups
    events: Events
    identities: Identities


@dataclass(frozen=True)
class Api:
    """What answers at each path."""

    engage: Endpoint
    groups: Endpoint
    imports: Endpoint
    track: Endpoint
    export: Export
    query: Query
    deletions: Deletions


def assemble(
    config: SandboxConfig, stores: ApiStores, queried: QueryStores, linker: Linker, shared: Surroundings
) -> Api:
    """Put the endpoints together."""
    credentials = Credentials(config)
    ingest = EventIngest(stores.database, stores.events, linker, shared.controls, config.token)
    engage = EngageDoor(stores.database, stores.profiles, stores.identities, config.token)
    return Api(
        engage=Endpoint(engage, shared),
        groups=Endpoint(GroupsDoor(stores.database, stores.groups, config.token), shared),
        imports=Endpoint(ImportDoor(ingest, credentials), shared),
        track=Endpoint(TrackDoor(ingest), shared),
        export=Export(stores.events, credentials, shared),
        query=Query(queried, credentials, shared, config.project_id),
        deletions=Deletions(StoredDeletions(stores.database), config, shared),
    )
