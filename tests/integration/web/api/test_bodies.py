"""What a body may be: JSON or NDJSON, gzip, limits; and what is answered to anything else."""

import gzip
import io
import tracemalloc
from typing import Any

import orjson
import pytest
import redis

from app.web.api.bodies import MOST_BYTES
from tests.integration.web.api.records import event, profile
from tests.integration.web.api.relay import JSON, NDJSON, Relay, fault, problem, services
from tests.integration.web.services import settings

GZIP = {"Content-Encoding": "gzip"}
LINES = {"Content-Type": NDJSON}
ENDPOINTS = ("events", "profiles", "groups")
every_endpoint = pytest.mark.parametrize("name", ENDPOINTS)


def ndjson(*records: Any) -> bytes:
    return b"\n".join(each if isinstance(each, bytes) else orjson.dumps(each) for each in records)


def test_an_array_and_lines_are_the_same(relay: Relay) -> None:
    records = [event(time=1_700_000_000, n=number) for number in range(3)]
    assert relay.post("events", records).get_json()["accepted"] == 3
    assert relay.post("events", ndjson(*records), headers=LINES).get_json()["accepted"] == 3
    first, second = relay.kept("events")
    assert first == second


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n", b"\n\n \n"])
def test_lines_may_end_as_they_like_and_empty_ones_are_none(relay: Relay, ending: bytes) -> None:
    body = b"\n\n" + ndjson(profile(__set={"a": 1}), b"", profile(__set={"a": 2})) + ending
    assert relay.post("profiles", body, headers=LINES).get_json()["accepted"] == 2


def test_a_broken_line_is_named_and_the_others_are_kept(relay: Relay) -> None:
    good = event(time=1_700_000_000)
    body = ndjson(good, b"", b'{"event": "A", "properties": {somebody@example.com}}', good, {}, b"\xff")
    answer = relay.post("events", body, headers=LINES)
    assert answer.status_code == 202
    told = answer.get_json()
    assert told["accepted"] == 2
    assert [(each["index"], each["line"], each["code"]) for each in told["rejected"]] == [
        (1, 3, "invalid_json"),
        (3, 5, "event_name"),
        (4, 6, "invalid_json"),
    ]
    assert "Line 3" in told["rejected"][0]["detail"]
    assert "somebody" not in answer.text


def test_lines_that_are_all_broken_are_a_problem_naming_them(relay: Relay) -> None:
    told = fault(relay.post("events", b"\n{", headers=LINES), 422, "invalid_records")
    assert (told["index"], told["line"], told["code"]) == (0, 2, "invalid_json")


@every_endpoint
@pytest.mark.parametrize(
    ("body", "code"),
    [
        *(
            (body, "invalid_json")
            for body in (b"", b"{", b"[1,", b"\xff", b'["\\ud800"]', b"[NaN]", b"[1e999]")
        ),
        *((body, "invalid_json") for body in (b"[" * 2_000 + b"]" * 2_000, b"\xef\xbb\xbf[]", b"{} {}")),
        *((body, "not_an_array") for body in (b"{}", b"null", b"1", b'"a"')),
    ],
    ids=repr,
)
def test_what_is_no_array_of_records_is_400(relay: Relay, name: str, body: bytes, code: str) -> None:
    told = fault(relay.post(name, body[:4_000]), 400, "invalid_body")
    assert (told["field"], told["code"]) == ("body", code)


@every_endpoint
@pytest.mark.parametrize("headers", [{}, LINES])
def test_a_body_without_a_record_is_422(relay: Relay, name: str, headers: dict[str, str]) -> None:
    assert (
        fault(relay.post(name, b"\n" if headers else b"[]", headers=headers), 422, "invalid_records")["code"]
        == "empty"
    )


@every_endpoint
@pytest.mark.parametrize("headers", [{}, LINES])
def test_more_than_2000_records_are_413_naming_the_limit(
    relay: Relay, name: str, headers: dict[str, str]
) -> None:
    body = b"\n".join([b"{}"] * 2_001) if headers else b"[" + b",".join([b"{}"] * 2_001) + b"]"
    assert "2000" in problem(relay.post(name, body, headers=headers), 413, "too_many_records")["detail"]


def test_exactly_2000_records_are_taken(relay: Relay) -> None:
    assert relay.post("events", [event(n=number) for number in range(2_000)]).get_json()["accepted"] == 2_000


@every_endpoint
@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "json",
        "application/csv",
    ],
)
def test_another_type_is_415_naming_those_that_there_are(relay: Relay, name: str, kind: str) -> None:
    answer = relay.post(name, b"[]", headers={"Content-Type": kind})
    told = fault(answer, 415, "unsupported_media_type")
    assert told["field"] == "Content-Type"
    assert "application/json" in told["detail"]
    assert NDJSON in told["detail"]


def test_a_charset_that_is_utf_8_is_fine(relay: Relay) -> None:
    headers = {"Content-Type": "Application/JSON; charset=UTF-8"}
    assert relay.post("events", [event()], headers=headers).status_code == 202


def test_gzip_is_unpacked(relay: Relay) -> None:
    body = gzip.compress(orjson.dumps([profile(__set={"a": 1})]))
    assert relay.post("profiles", body, headers=GZIP).status_code == 202
    assert relay.kept("profiles") == [[profile(__set={"a": 1})]]


@every_endpoint
def test_another_encoding_is_415_and_what_is_no_whole_gzip_400(relay: Relay, name: str) -> None:
    answer = relay.post(name, b"[]", headers={"Content-Encoding": "br"})
    assert fault(answer, 415, "unsupported_media_type")["field"] == "Content-Encoding"
    assert answer.headers["Accept-Encoding"] == "gzip"
    for body in (b"[]", gzip.compress(b"[]")[:-4]):
        told = fault(relay.post(name, body, headers=GZIP), 400, "invalid_body")
        assert (told["field"], told["code"]) == ("Content-Encoding", "invalid_gzip")


@every_endpoint
def test_a_gzip_bomb_is_413_and_never_held(relay: Relay, name: str) -> None:
    bomb = gzip.compress(bytes(500_000_000))
    assert len(bomb) < 600_000
    tracemalloc.start()
    answer = relay.post(name, bomb, headers=GZIP)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "4000000" in problem(answer, 413, "body_too_large")["detail"]
    assert peak_bytes < 15_000_000


@every_endpoint
def test_a_large_body_is_413_naming_the_limit(relay: Relay, name: str) -> None:
    assert "4000000" in problem(relay.post(name, b" " * 4_000_001), 413, "body_too_large")["detail"]


def test_no_setting_makes_a_call_larger_than_mixpanel_takes(
    redis_client: redis.Redis, redis_url: str
) -> None:
    relay = Relay(services(redis_client, settings(redis_url, max_body_bytes=50_000_000)))
    assert relay.post("events", b" " * MOST_BYTES).status_code == 400
    assert (
        str(MOST_BYTES)
        in problem(relay.post("events", b" " * (MOST_BYTES + 1)), 413, "body_too_large")["detail"]
    )


class Cut(io.RawIOBase):
    """A connection that ends in the middle of a body."""

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: Any) -> int:
        return 0


@every_endpoint
def test_half_a_body_is_503_as_a_fault_on_the_way(relay: Relay, name: str) -> None:
    answer = relay.post(name, b"", environ_overrides={"wsgi.input": Cut(), "CONTENT_LENGTH": "500"})
    problem(answer, 503, "body_incomplete")
    assert int(answer.headers["Retry-After"]) > 0


class Counting(io.BytesIO):
    """A body that knows how much of it was taken."""

    taken = 0

    def readinto(self, buffer: Any, /) -> int:
        size = super().readinto(buffer)
        self.taken += size
        return size


def test_a_body_that_nobody_wanted_is_taken_all_the_same(relay: Relay) -> None:
    """Its sender, still sending, would see a broken connection instead of the answer."""
    for headers, status in (
        ({"Authorization": ""}, 401),
        ({"Content-Type": "text/plain"}, 415),
        ({"Authorization": relay.token("read")}, 403),
    ):
        body = Counting(bytes(300_000))
        answer = relay.post(
            "events", b"", headers=headers, environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": "300000"}
        )
        assert (answer.status_code, body.taken) == (status, 300_000)


@every_endpoint
@pytest.mark.parametrize("query", ["?strict=1", "?project_id=1001&verbose=1"])
def test_an_unknown_query_parameter_is_named(relay: Relay, name: str, query: str) -> None:
    told = problem(relay.post(name, [], query=query), 422, "invalid_query")
    assert {f"{each['field']}=" in query for each in told["errors"]} == {True}


@every_endpoint
@pytest.mark.parametrize("key", ["", " ", "x" * 256, "é", "a\tb", " a"])
def test_a_key_that_is_none_is_named(relay: Relay, name: str, key: str) -> None:
    told = fault(relay.post(name, [], headers={"Idempotency-Key": key}), 400, "invalid_header")
    assert told["field"] == "Idempotency-Key"


BEYOND = (b"18446744073709551616", b"-9223372036854775809", b"123456789012345678901234567890", b"9" * 300)


@pytest.mark.parametrize("number", BEYOND)
def test_a_whole_number_beyond_64_bits_is_refused_by_name_where_its_digits_would_get_lost(
    relay: Relay, number: bytes
) -> None:
    record = b'{"event":"A","properties":{"distinct_id":"a","time":1700000000,"n":{"m":[1,%b]}}}'
    fine = record % b'18446744073709551615,-9223372036854775808,1e30,1.5,"99999999999999999999"'
    broken = record % number
    for body, kind in ((b"[%b,%b]" % (fine, broken), JSON), (b"%b\n%b\n" % (fine, broken), NDJSON)):
        told = relay.post("events", body, headers={"Content-Type": kind}).get_json()
        assert told["accepted"] == 1
        (wrong,) = told["rejected"]
        assert (wrong["index"], wrong["field"], wrong["code"]) == (1, "properties.n.m[1]", "number")


@pytest.mark.parametrize("number", BEYOND)
def test_also_in_an_object_it_is_refused_by_name(relay: Relay, number: bytes) -> None:
    body = b'{"links":[{"user_id":"a","device_id":%b}]}' % number
    wrong = fault(relay.post("identity-links", body), 400, "invalid_body")
    assert (wrong["field"], wrong["code"]) == ("links[0].device_id", "number")
