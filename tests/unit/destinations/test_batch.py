"""Which batches may be under way together."""

import orjson

from app.destinations.batch import Batch, once, refusal_mark, turns
from app.mixpanel.batches import split


def appends(who: str, name: str, number: int) -> list[tuple[str, bytes]]:
    return [
        (f"{who}.{name}.{at}", orjson.dumps({"$token": "t", "$distinct_id": who, "$append": {name: at}}))
        for at in range(number)
    ]


def cut(updates: list[tuple[str, bytes]], most: int) -> list[Batch]:
    return list(once(updates, lambda records: list(split(records, 10**6, most))))


def test_a_batch_that_goes_on_with_a_list_waits_for_the_one_before_it() -> None:
    batches = cut([*appends("ann", "log", 5), *appends("bob", "log", 1), *appends("cat", "log", 2)], 2)
    assert list(turns(batches)) == [[batches[0], batches[3]], [batches[1]], [batches[2]]]


def test_other_batches_wait_for_nothing() -> None:
    adds = [(str(at), orjson.dumps({"$distinct_id": "ann", "$add": {"n": 1}})) for at in range(4)]
    batches = [
        Batch([b"{}"]),
        Batch([b"{}"]),
        *cut(appends("ann", "a", 2) + appends("ann", "b", 2) + appends("bob", "b", 2) + adds, 2),
    ]
    assert list(turns(batches)) == [batches]
    assert list(turns([])) == []


def test_without_what_was_refused_a_batch_keeps_its_name() -> None:
    batch = Batch([b"1", b"2"])
    assert batch.without([False, False]) is batch
    rest = batch.without([True, False])
    assert (rest.records, rest.digest) == ([b"2"], batch.digest)
    assert refusal_mark(b"1") != refusal_mark(b"2")
