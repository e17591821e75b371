"""Apply a batch: check each record, apply the valid ones in order, in one transaction; report the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.sandbox.api.operations import apply_operation
from app.sandbox.api.records import RefusedRecordError, Update, check_record, check_size
from app.sandbox.config import Limits
from app.sandbox.store.database import Database
from app.sandbox.store.profiles import Profiles, Properties

SERVER_LOCATION = {
    "$country_code": "US",
    "$region": "Virginia",
    "$city": "Ashburn",
}  # what `ip=0` protects from


@dataclass(frozen=True)
class Failure:
    """A record that was refused."""

    index: int
    field: str
    message: str


@dataclass(frozen=True)
class Ingested:
    """What became of a batch.

    Attributes:
        imported: Number of records that were valid.
        failures: The others, by index.
        misdirected: Number of valid records with a token that is not this project's: accepted, and gone.
    """

    imported: int
    failures: tuple[Failure, ...]
    misdirected: int = 0


class Ingest:
    """Applies batches to the project's profiles."""

    def __init__(self, database: Database, profiles: Profiles, token: str) -> None:
        self._database = database
        self._profiles = profiles
        self._token = token

    def apply(
        self,
        records: Sequence[Any],
        limits: Limits,
        *,
        ip: bool,
        now_ms: int,
        size_bytes: int = 0,
        refused: Mapping[int, str] | None = None,
    ) -> Ingested:
        """Apply a batch.

        Args:
            records: Decoded records, in the order of the request.
            limits: The limits in force.
            ip: Whether the request asks for geolocation.
            now_ms: The sandbox's time.
            size_bytes: Size of the whole request; above the limit of one record each record is measured.
            refused: Records to refuse whatever they hold, with a message each (an injected fault).
        """
        updates, failures = _checked(records, limits, ip, size_bytes > limits.max_record_bytes, refused or {})
        own = {index: update for index, update in updates.items() if update.token == self._token}
        with self._database.transaction():
            failures += self._write(own, limits, now_ms)
        failures.sort(key=lambda failure: failure.index)
        return Ingested(len(records) - len(failures), tuple(failures), len(updates) - len(own))

    def _write(self, updates: Mapping[int, Update], limits: Limits, now_ms: int) -> list[Failure]:
        known = self._profiles.properties(list({update.distinct_id for update in updates.values()}))
        state: dict[str, Properties | None] = dict(known)
        changed: dict[str, Properties | None] = {}
        failures = []
        for index, update in updates.items():
            before = state.get(update.distinct_id)
            after = _updated(before, update)
            if after is not None and len(after) > limits.max_properties:
                failures.append(_too_many(index, update, limits))
                continue
            if after is not before:
                state[update.distinct_id] = changed[update.distinct_id] = after
        self._profiles.write(changed, now_ms)
        return failures


def _updated(before: Properties | None, update: Update) -> Properties | None:
    after = apply_operation(update.kind, before, update.operand)
    if after is None or not update.geolocated:
        return after
    return after | SERVER_LOCATION


def _too_many(index: int, update: Update, limits: Limits) -> Failure:
    message = (
        f"'{update.kind}' is invalid: the profile would have more than {limits.max_properties} properties"
    )
    return Failure(index, update.kind, message)


def _checked(
    records: Sequence[Any], limits: Limits, ip: bool, measure: bool, refused: Mapping[int, str]
) -> tuple[dict[int, Update], list[Failure]]:
    updates: dict[int, Update] = {}
    failures: list[Failure] = []
    for index, record in enumerate(records):
        try:
            if index in refused:
                raise RefusedRecordError("$distinct_id", refused[index])  # noqa: TRY301 -- an injected fault is refused like any other
            if measure:
                check_size(record, limits)
            updates[index] = check_record(record, limits, ip=ip)
        except RefusedRecordError as err:
            failures.append(Failure(index, err.field, err.message))
    return updates, failures
