from typing import Any

import pytest

from app.sandbox.api.records import REFUSED_IDS, RefusedRecordError, check_record, check_size
from app.sandbox.config import Limits


def record(**changes: Any) -> dict[str, Any]:
    return {"$token": "t", "$distinct_id": "u1", "$set": {"a": 1}} | changes


def operation(kind: str, operand: Any) -> dict[str, Any]:
    return {"$token": "t", "$distinct_id": "u1", kind: operand}


REFUSED: list[tuple[Any, str]] = [
    ("text", "record"),
    ([], "record"),
    (record(**{"$token": ""}), "$token"),
    (record(**{"$token": 7}), "$token"),
    ({"$distinct_id": "u1", "$set": {}}, "$token"),
    (record(**{"$distinct_id": ""}), "$distinct_id"),
    (record(**{"$distinct_id": None}), "$distinct_id"),
    (record(**{"$distinct_id": True}), "$distinct_id"),
    (record(**{"$distinct_id": ["u1"]}), "$distinct_id"),
    (record(**{"$distinct_id": 0}), "$distinct_id"),
    (record(**{"$distinct_id": "ü" * 128}), "$distinct_id"),
    ({"$token": "t", "$distinct_id": "u1"}, "operation"),
    (record(**{"$union": {"l": ["a"]}}), "operation"),
    (operation("$set", ["a"]), "$set"),
    (operation("$set_once", None), "$set_once"),
    (operation("$add", {"n": "1"}), "$add.n"),
    (operation("$add", {"n": True}), "$add.n"),
    (operation("$add", 1), "$add"),
    (operation("$union", {}), "$union"),
    (operation("$union", {"l": "a"}), "$union.l"),
    (operation("$union", {"l": []}), "$union.l"),
    (operation("$union", {"l": [{"a": 1}]}), "$union.l"),
    (operation("$union", {"l": [True]}), "$union.l"),
    (operation("$append", "a"), "$append"),
    (operation("$remove", {"l": ["a"]}), "$remove.l"),
    (operation("$remove", {"l": {"a": 1}}), "$remove.l"),
    (operation("$unset", {"a": 1}), "$unset"),
    (operation("$unset", []), "$unset"),
    (operation("$unset", ["a", 1]), "$unset"),
    (operation("$set", {"n" * 256: 1}), "$set"),
    (operation("$set", {"": 1}), "$set"),
    (operation("$set", dict.fromkeys(map(str, range(2001)), 1)), "$set"),
]


@pytest.mark.parametrize(("sent", "field"), REFUSED)
def test_a_record_with_a_mistake_is_refused_naming_the_field(sent: Any, field: str) -> None:
    with pytest.raises(RefusedRecordError) as refused:
        check_record(sent, Limits(), ip=True)

    assert refused.value.field == field


@pytest.mark.parametrize("distinct_id", sorted(REFUSED_IDS))
def test_the_ids_on_mixpanels_list_are_refused(distinct_id: str) -> None:
    with pytest.raises(RefusedRecordError):
        check_record(record(**{"$distinct_id": distinct_id}), Limits(), ip=True)


@pytest.mark.parametrize(
    "sent",
    [
        record(),
        record(**{"$token": "not this project's"}),
        record(**{"$set": {}}),
        operation("$remove", {"l": None}),
        operation("$append", {"l": {"any": ["thing"]}}),
        operation("$delete", "anything"),
        operation("$delete", None) | {"$ignore_alias": True},
        operation("$union", {"l": ["a", 1, 1.5]}),
        operation("$set", {"n" * 255: 1}),
    ],
)
def test_a_record_as_documented_is_accepted(sent: dict[str, Any]) -> None:
    assert check_record(sent, Limits(), ip=True).distinct_id == "u1"


def test_a_number_as_distinct_id_becomes_a_string() -> None:
    assert check_record(record(**{"$distinct_id": 13793}), Limits(), ip=True).distinct_id == "13793"


@pytest.mark.parametrize(
    ("ip", "own", "geolocated"),
    [(True, None, True), (False, None, False), (True, 0, False), (True, "0", False)],
)
def test_ip_0_in_the_query_or_the_record_prevents_geolocation(ip: bool, own: Any, geolocated: bool) -> None:
    sent = record() if own is None else record(**{"$ip": own})

    assert check_record(sent, Limits(), ip=ip).geolocated is geolocated


def test_a_record_above_the_size_limit_is_refused() -> None:
    with pytest.raises(RefusedRecordError, match="max limit of 100 bytes"):
        check_size(record(**{"$set": {"a": "x" * 100}}), Limits(max_record_bytes=100))
