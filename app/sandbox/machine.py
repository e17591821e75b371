"""The whole sandbox, put together: one object a process."""

import threading
from typing import Any

from flask import Flask

from app.sandbox.api.assembly import ApiStores, assemble
from app.sandbox.api.endpoint import Surroundings
from app.sandbox.api.limits import RollingMinute
from app.sandbox.api.lookup_tables.tables import LookupTables
from app.sandbox.api.query import QueryStores
from app.sandbox.api.reports.saved import Saved
from app.sandbox.chance import seeded
from app.sandbox.clock import SandboxClock
from app.sandbox.config import Controls, SandboxConfig
from app.sandbox.faults import Faults
from app.sandbox.identity.linking import Linker
from app.sandbox.journal import Journal
from app.sandbox.population.churn import Churn
from app.sandbox.population.membership import Population
from app.sandbox.population.seeding import Seeding
from app.sandbox.sender.delivery import Delivery
from app.sandbox.sender.loop import Rounds, SyncLoop
from app.sandbox.sender.sync import CohortSync, SyncStores
from app.sandbox.sender.transport import HttpTransport, Reply, Transport, UnansweredError
from app.sandbox.store.cohorts import Cohorts
from app.sandbox.store.database import Database
from app.sandbox.store.documents import Documents
from app.sandbox.store.events import Events
from app.sandbox.store.groups import Groups
from app.sandbox.store.identities import Identities
from app.sandbox.store.links import Links
from app.sandbox.store.meta import CLOCK_OFFSET_S, ID_MANAGEMENT, Meta
from app.sandbox.store.profiles import Profiles
from app.sandbox.store.snapshots import Snapshots

EXTENSION = "sandbox"
JOIN_S = 1.0


class OtherSystemError(Exception):
    """The state holds data of another identity system."""


class NoWebhook:
    """Stands in for a connection where no webhook was given."""

    def post(self, _body: bytes) -> Reply:
        """Send nothing."""
        raise UnansweredError("no webhook URL was given")

    def listening(self) -> bool:
        """Tell that nobody listens."""
        return False


class Machine:
    """State, API half, sender half and what people can turn while it runs."""

    def __init__(
        self,
        config: SandboxConfig,
        log: Any,
        transport: Transport | None = None,
        clock: SandboxClock | None = None,
    ) -> None:
        """Open the state and put everything together; nothing runs yet.

        Raises:
            StateInUseError: Another sandbox runs on the data directory.
            OtherSystemError: The state was made with another identity system.
        """
        self.config = config
        self.log = log
        self.controls = Controls(config)
        self.stop = threading.Event()
        self.journal = Journal()
        self.faults = Faults(seeded(config.seed, "faults"))
        self.database = Database(config.data_dir)
        self.meta = Meta(self.database)
        self.clock = clock or SandboxClock(self.meta.get(CLOCK_OFFSET_S) or 0.0)
        self.profiles = Profiles(self.database)
        self.cohorts = Cohorts(self.database, self.meta)
        self.snapshots = Snapshots(self.database)
        self.identities = Identities(self.database)
        self.links = Links(self.database)
        self.events = Events(self.database, self.identities)
        self.groups = Groups(self.database)
        self.documents = Documents(self.database, self.meta)
        self.saved = Saved(self.documents)
        self._fix_system()
        self.population = Population(self.database, self.profiles, self.identities, self.clock, config.seed)
        self.seeding = Seeding(
            database=self.database,
            meta=self.meta,
            profiles=self.profiles,
            cohorts=self.cohorts,
            clock=self.clock,
            config=config,
            first=(self.saved.fill, LookupTables(self.documents, self.controls).fill),
        )
        self.churn = Churn(
            database=self.database,
            meta=self.meta,
            cohorts=self.cohorts,
            profiles=self.profiles,
            population=self.population,
            seed=config.seed,
        )
        linker = Linker(
            system=config.id_management,
            database=self.database,
            identities=self.identities,
            links=self.links,
            profiles=self.profiles,
            controls=self.controls,
            seed=config.seed,
        )
        self.api = assemble(
            config,
            ApiStores(
                self.database, self.profiles, self.groups, self.events, self.identities, self.documents
            ),
            QueryStores(self.profiles, self.cohorts, self.population, self.meta, self.events),
            linker,
            Surroundings(self.controls, self.faults, self.journal, self.clock, self.stop, RollingMinute()),
        )
        delivery = Delivery(
            transport=transport or _transport(config),
            sender=lambda: self.controls.sender,
            faults=self.faults,
            journal=self.journal,
            clock=self.clock,
            stop=self.stop,
        )
        self.sync = CohortSync(
            stores=SyncStores(self.meta, self.cohorts, self.profiles, self.snapshots, self.population),
            delivery=delivery,
            controls=self.controls,
            faults=self.faults,
            clock=self.clock,
            project_id=config.project_id,
            log=log,
        )
        self.rounds = Rounds(
            cohorts=self.cohorts,
            sync=self.sync,
            delivery=delivery,
            churn=self.churn,
            controls=self.controls,
            clock=self.clock,
            stop=self.stop,
        )
        self.seeding.ensure()
        self._loop: SyncLoop | None = None

    def start(self) -> None:
        """Start the sender's thread."""
        self._loop = SyncLoop(self.rounds, self.meta, self.clock, self.stop, self._report)
        self._loop.start()

    def close(self) -> None:
        """End the sender and every request that is held, and close the state."""
        self.stop.set()
        if self._loop is not None:
            self._loop.join(JOIN_S)
        self.database.close()

    def _fix_system(self) -> None:
        """Hold on to the identity system once there is data that depends on it, as Mixpanel does."""
        known, wanted = self.meta.word(ID_MANAGEMENT), self.config.id_management
        if known not in {None, wanted} and (self.events.arrivals() or self.links.count()):
            self.database.close()
            raise OtherSystemError(
                f"{self.config.data_dir} holds data of the identity system {known}, not {wanted}"
            )
        self.meta.set_word(ID_MANAGEMENT, wanted)

    def _report(self) -> None:
        if not self.stop.is_set():
            self.log.exception("sandbox sender failed")  # noqa: LOG004 -- called while the exception is handled


def machine_of(app: Flask) -> Machine:
    """Return the machine of a sandbox's Flask app."""
    machine = app.extensions[EXTENSION]
    assert isinstance(machine, Machine)
    return machine


def _transport(config: SandboxConfig) -> Transport:
    sender = config.sender
    if sender.webhook_url is None:
        return NoWebhook()
    return HttpTransport(sender.webhook_url, sender.username, sender.password, sender.timeout_s)
