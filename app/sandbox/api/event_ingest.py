"""Take a batch of events in: check each, keep the valid ones, carry out identity verbs in their order."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.sandbox.api.endpoint import Batch
from app.sandbox.api.event_records import Event, EventRules, check_event
from app.sandbox.api.event_times import DAY_MS
from app.sandbox.api.ingest import Failure, Ingested, checked, ingested, insert_id_of
from app.sandbox.config import Controls
from app.sandbox.identity.linking import Linker
from app.sandbox.identity.systems import refusal_of
from app.sandbox.identity.verbs import Link
from app.sandbox.store.database import Database
from app.sandbox.store.events import Events

STRANGE = "'properties.token' is invalid: it is not this project's"
TOGETHER = "not imported: the batch holds an identity verb that this project refuses"


@dataclass(frozen=True)
class Manner:
    """How a request came in.

    Attributes:
        source: `import` or `track`.
        strict: Report what is refused by index; otherwise an identity verb that is well formed is accepted,
            whether it has an effect or not.
        may_merge: `$merge` is accepted.
        address: The client's own, where it may stand for a missing distinct_id.
    """

    source: str
    strict: bool
    may_merge: bool = False
    address: str | None = None


class EventIngest:
    """Takes in events and links."""

    def __init__(
        self, database: Database, events: Events, linker: Linker, controls: Controls, token: str
    ) -> None:
        self._database = database
        self._events = events
        self._linker = linker
        self._controls = controls
        self._token = token

    def apply(self, batch: Batch, manner: Manner) -> Ingested:
        """Take a batch in, in one transaction."""
        rules = EventRules(manner.source, self._linker.system, batch.limits, batch.now_ms, manner.address)
        valid, failures = checked(
            batch.records,
            lambda record: check_event(record, rules),
            batch.limits,
            size_bytes=batch.call.size_bytes,
            refused=batch.refused,
            blamed="event",
        )
        spoilt = self._spoilt(valid, manner)
        failures += [_failure(batch, index, "event", TOGETHER) for index in spoilt]
        taken = {index: one for index, one in valid.items() if index not in spoilt}
        own = {index: one for index, one in taken.items() if self._is_own(one, manner)}
        events = [one for one in own.values() if isinstance(one, Event)]
        fresh = [one for one in events if _fresh(one, manner, batch)]
        with self._database.transaction():
            self._events.add((one.event for one in fresh), batch.now_ms)
            self._linker.devices([one.pair for one in fresh if one.pair is not None], batch.now_ms)
            links = {index: one for index, one in own.items() if isinstance(one, Link)}
            failures += self._linked(links, manner, batch)
        if manner.source == "import" and manner.strict:
            failures += [
                _failure(batch, index, "properties.token", STRANGE) for index in set(taken) - set(own)
            ]
            own = taken
        expired = len(events) - len(fresh)
        return ingested(len(batch.records), failures, misdirected=len(taken) - len(own), expired=expired)

    def _spoilt(self, valid: Mapping[int, Event | Link], manner: Manner) -> set[int]:
        """Return what an identity verb in the batch drags along, where the project is set to have it so."""
        forbidden = {index for index, one in valid.items() if self._forbidden(one)}
        drags = manner.strict and forbidden and self._controls.api.verbs == "refuse_batch"
        return set(valid) - forbidden if drags else set()

    def _forbidden(self, one: Event | Link) -> bool:
        return isinstance(one, Link) and refusal_of(one.verb, self._linker.system) is not None

    def _is_own(self, one: Event | Link, manner: Manner) -> bool:
        """Tell whether a record is this project's, by its token or, of imported events, by credentials."""
        return (manner.source == "import" and isinstance(one, Event)) or one.token == self._token

    def _linked(self, links: Mapping[int, Link], manner: Manner, batch: Batch) -> list[Failure]:
        failures = []
        for index, link in links.items():
            reason = self._linker.link(link, batch.now_ms, may_merge=manner.may_merge)
            if reason is not None and manner.strict:
                failures.append(_failure(batch, index, "event", reason))
        return failures


def _fresh(event: Event, manner: Manner, batch: Batch) -> bool:
    """Tell whether an event is young enough: `/track` drops older ones and says nothing."""
    age_ms = batch.now_ms - event.event.time_ms
    return manner.source == "import" or age_ms <= batch.limits.track_days * DAY_MS


def _failure(batch: Batch, index: int, field: str, reason: str) -> Failure:
    return Failure(index, field, reason, insert_id_of(batch.records[index]))
