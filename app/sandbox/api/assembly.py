"""The API half, put together."""

from dataclasses import dataclass

from app.sandbox.api.accounts import Accounts
from app.sandbox.api.annotations.annotations import Annotations
from app.sandbox.api.credentials import Credentials
from app.sandbox.api.deletions import Deletions
from app.sandbox.api.desk.budgets import Budgets
from app.sandbox.api.desk.desk import Desk
from app.sandbox.api.desk.operation import Operation
from app.sandbox.api.endpoint import Endpoint, Surroundings
from app.sandbox.api.event_doors import ImportDoor, TrackDoor
from app.sandbox.api.event_ingest import EventIngest
from app.sandbox.api.experiments.experiments import Experiments
from app.sandbox.api.export import Export
from app.sandbox.api.flags.evaluation import FlagEvaluation
from app.sandbox.api.flags.management import FlagManagement
from app.sandbox.api.gdpr.retrievals import Retrievals
from app.sandbox.api.legacy.legacy import Legacy
from app.sandbox.api.lexicon.schemas import Schemas
from app.sandbox.api.lookup_tables.tables import LookupTables
from app.sandbox.api.pipelines.pipelines import Pipelines
from app.sandbox.api.profile_doors import EngageDoor, GroupsDoor
from app.sandbox.api.query import Query, QueryStores
from app.sandbox.api.query_rate import QueryRate
from app.sandbox.api.reports.operations import operations as report_operations
from app.sandbox.api.reports.reading import EventReader
from app.sandbox.api.reports.saved import Saved
from app.sandbox.api.service_accounts.service_accounts import ServiceAccounts
from app.sandbox.api.warehouse.imports import WarehouseImports
from app.sandbox.config import SandboxConfig
from app.sandbox.identity.linking import Linker
from app.sandbox.store.database import Database
from app.sandbox.store.deletions import Deletions as StoredDeletions
from app.sandbox.store.documents import Documents
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
    documents: Documents


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
    desk: Desk


def assemble(
    config: SandboxConfig, stores: ApiStores, queried: QueryStores, linker: Linker, shared: Surroundings
) -> Api:
    """Put the endpoints together."""
    accounts = Accounts(config, stores.documents)
    credentials = Credentials(config, accounts, shared.clock.now_s)
    budgets = Budgets(QueryRate(), lambda: shared.controls.limits)
    ingest = EventIngest(stores.database, stores.events, linker, shared.controls, config.token)
    engage = EngageDoor(stores.database, stores.profiles, stores.identities, config.token)
    families = _families(config, stores, accounts, budgets, shared)
    return Api(
        engage=Endpoint(engage, shared),
        groups=Endpoint(GroupsDoor(stores.database, stores.groups, config.token), shared),
        imports=Endpoint(ImportDoor(ingest, credentials), shared),
        track=Endpoint(TrackDoor(ingest), shared),
        export=Export(stores.events, credentials, shared, budgets),
        query=Query(queried, credentials, shared, config.project_id, budgets.queries),
        deletions=Deletions(StoredDeletions(stores.database), config, shared, budgets),
        desk=Desk(families, credentials, budgets, shared, config),
    )


def _families(
    config: SandboxConfig, stores: ApiStores, accounts: Accounts, budgets: Budgets, shared: Surroundings
) -> list[Operation]:
    documents, reader = stores.documents, EventReader(stores.events)
    saved = Saved(documents)
    return [
        *report_operations(reader, saved),
        *Pipelines(documents, config).operations(),
        *Schemas(documents, budgets).operations(),
        *Annotations(documents, config).operations(),
        *Retrievals(documents, config).operations(),
        *WarehouseImports(documents).operations(),
        *ServiceAccounts(accounts, config).operations(),
        *Experiments(documents).operations(),
        *FlagManagement(documents, config).operations(),
        *FlagEvaluation(documents, config).operations(),
        *LookupTables(documents, shared.controls).operations(),
        *Legacy(reader, saved, config).operations(),
    ]
