"""What is kept of a cohort comes back from its hash as it was."""

from dataclasses import replace
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from app.cohorts.carried import Carried, Migration
from app.cohorts.epochs import Machine
from app.cohorts.epochs.shrinking import Shrink
from app.cohorts.record import CohortRecord, Rename
from app.cohorts.resync import Resync
from tests.model.engine import EngineReceiver
from tests.model.notation import parse

names = st.text(st.characters(codec="utf-8"), max_size=10)
numbers = st.integers(0, 1 << 40)
machines = st.builds(
    Machine, count=numbers, epoch=numbers, partial=st.sampled_from(("", "assumed", "proven"))
)
written = st.lists(st.tuples(names, names), max_size=3)
migrations = st.builds(Migration, names, numbers, written, written, st.booleans(), numbers)
records = st.builds(
    CohortRecord,
    cohort_id=st.just("c"),
    name=names,
    description=names,
    machine=machines,
    buckets=st.integers(1, 1 << 20),
    entries=numbers,
    rename=st.none() | st.builds(Rename, st.lists(names, min_size=1), numbers, numbers, names),
    carried=st.builds(Carried, written, st.none() | migrations),
    resync=st.none() | st.builds(Resync, numbers, st.just("reconcile"), numbers, named=st.lists(numbers)),
    suspect=names,
    quarantined=numbers,
    synced_ms=numbers,
    under_way=st.none() | st.tuples(names, numbers),
    new=st.just(False),
)


def as_stored(record: CohortRecord) -> dict[bytes, bytes]:
    """Return the hash as Redis gives it back."""

    def text(value: Any) -> bytes:
        return value if isinstance(value, bytes) else str(value).encode()

    return {name.encode(): text(value) for name, value in record.to_hash().items()}


@given(records)
def test_a_record_comes_back_as_it_was(record: CohortRecord) -> None:
    assert CohortRecord.from_hash("c", as_stored(record)) == record


def test_a_machine_in_the_middle_of_things_comes_back_as_it_was() -> None:
    engine = EngineReceiver()
    for page in parse("M0{a,b} | +1[1/2]{c} +1[1/2]{c} | +2{d} -3{a} | +1[2/2]{e} M4[1/2]{a}"):
        engine.receive(page)
    engine.machine.began, engine.machine.closed = [], []
    record = CohortRecord("c", machine=engine.machine, new=False)
    back = CohortRecord.from_hash("c", as_stored(record))
    assert back == replace(record, machine=engine.machine)


OLD_MACHINE = "attempts epoch step prev count completed_ms partial tasks reconciled excused"
OLD_RESYNC = "number mode at_ms dry_run phase cursor since named buckets epoch doubted counts sample"


def test_older_code_can_read_what_it_knows_beside_newer_code() -> None:
    """It takes the names of both as arguments, so that another one makes it fail, page after page."""
    record = CohortRecord("c", resync=Resync(1, "reconcile", 1), new=False)
    stored = as_stored(record)
    assert set(orjson.loads(stored[b"machine"])) == set(OLD_MACHINE.split())
    assert set(orjson.loads(stored[b"resync"])) == set(OLD_RESYNC.split())


def test_what_is_held_and_how_many_are_sampled_comes_back() -> None:
    held = Shrink(3, 40, 50, 1, "s")
    resync = Resync(1, "reconcile", 1, sampled=100)
    record = CohortRecord("c", machine=Machine(held=held), resync=resync, new=False)
    assert CohortRecord.from_hash("c", as_stored(record)) == record


def test_a_cohort_never_heard_of_is_new() -> None:
    assert CohortRecord.from_hash("c", {}) == CohortRecord("c", new=True)
