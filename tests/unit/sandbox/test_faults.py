from typing import Any

import pytest

from app.sandbox.chance import seeded
from app.sandbox.faults import Fault, Faults, InvalidFaultError


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"kind": "explode"},
        {"side": "sender", "kind": "status"},
        {"side": "nowhere", "kind": "status"},
        {"kind": "status", "probability": 2},
        {"kind": "status", "count": 0},
        {"kind": "status", "status": 200},
        {"kind": "delay", "delay_s": -1},
        {"kind": "cut", "when": "never"},
        {"kind": "cut", "colour": "red"},
        {"kind": "delay", "delay_s": "long"},
        {"kind": "cut", "path": "/elsewhere"},
        {"side": "sender", "kind": "late", "path": "/import"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(item: dict[str, Any]) -> None:
    with pytest.raises(InvalidFaultError):
        Fault.from_json(item)


def test_a_fault_keeps_its_json_form() -> None:
    fault = Faults(seeded(1)).add(Fault.from_json({"kind": "poison", "distinct_ids": ["a"], "count": None}))

    assert Fault.from_json(fault.to_json()).to_json() | {"fault_id": 1} == fault.to_json()


def test_a_counted_fault_is_gone_once_it_has_struck_often_enough() -> None:
    faults = Faults(seeded(1))
    faults.add(Fault("api", "cut", count=2))

    assert [faults.draw("api") is not None for _ in range(3)] == [True, True, False]
    assert faults.active() == []


def test_a_fault_strikes_its_own_side_and_kind_only() -> None:
    faults = Faults(seeded(1))
    faults.add(Fault("sender", "abort"))

    assert faults.draw("api") is None
    assert faults.draw("sender", "duplicate") is None
    assert faults.draw("sender", "abort") is not None


def test_a_probable_fault_strikes_about_that_often_and_the_same_for_a_seed() -> None:
    def strikes() -> list[bool]:
        faults = Faults(seeded(7))
        faults.add(Fault("api", "cut", count=None, probability=0.3))
        return [faults.draw("api") is not None for _ in range(1000)]

    assert 250 < sum(strikes()) < 350
    assert strikes() == strikes()


def test_one_fault_or_all_can_be_taken_back() -> None:
    faults = Faults(seeded(1))
    ids = [faults.add(Fault("api", "cut")).fault_id for _ in range(3)]

    assert faults.clear(ids[1]) == 1
    assert [fault.fault_id for fault in faults.active()] == [ids[0], ids[2]]
    assert faults.clear() == 2
