import base64
import gzip
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from app.sandbox.api.answers import PIXEL
from app.sandbox.machine import Machine
from tests.unit.sandbox.calls import NOW_S, decoded, event, failures, send_track

DAY_S = 24 * 3600
FORM = "application/x-www-form-urlencoded"
GOOD = event()
BAD = event(token=None)


@pytest.fixture
def machine(make_machine: Callable[..., Machine]) -> Machine:
    return make_machine(profiles=0, cohorts=0)


def form(data: bytes, **fields: str) -> bytes:
    return urlencode({"data": data, **fields}).encode()


@pytest.mark.parametrize(("sent", "body"), [([GOOD], b"1"), (GOOD, b"1"), ([BAD, GOOD], b"1"), ([BAD], b"0")])
def test_the_plain_answer_is_1_if_any_event_is_valid(machine: Machine, sent: Any, body: bytes) -> None:
    answer = send_track(machine, sent)

    assert (answer.status, answer.body, answer.content_type) == (200, body, "text/plain")


def test_verbose_says_why_nothing_was_valid(machine: Machine) -> None:
    assert decoded(send_track(machine, [BAD, GOOD], verbose="1")) == {"status": 1, "error": None}
    assert decoded(send_track(machine, [BAD], verbose="1")) == {
        "status": 0,
        "error": "'properties.token' is invalid: must not be missing",
    }


@pytest.mark.parametrize(
    "data", [orjson.dumps(GOOD), orjson.dumps([GOOD]), base64.b64encode(orjson.dumps(GOOD))]
)
def test_a_form_carries_events_in_data_plain_or_base64(machine: Machine, data: bytes) -> None:
    assert send_track(machine, form(data), mimetype=FORM).body == b"1"
    assert machine.events.count() == 1


def test_a_form_may_ask_for_strict_answers(machine: Machine) -> None:
    answer = send_track(machine, form(orjson.dumps([GOOD, BAD]), strict="1"), mimetype=FORM)

    assert failures(answer) == [(1, "properties.token")]


def test_bodies_may_be_packed(machine: Machine) -> None:
    assert send_track(machine, gzip.compress(orjson.dumps([GOOD])), encoding="gzip").body == b"1"
    assert machine.events.count() == 1


def test_a_pixel_and_a_callback_are_served_to_whoever_asks(machine: Machine) -> None:
    image = send_track(machine, [GOOD], img="1")
    assert (image.body, image.content_type) == (PIXEL, "image/gif")
    call = send_track(machine, [GOOD], callback="mp.done")
    assert (call.body, call.content_type) == (b"mp.done(1);", "text/javascript")


@pytest.mark.parametrize(("age_s", "kept"), [(5 * DAY_S, 1), (5 * DAY_S + 1, 0), (400 * DAY_S, 0)])
def test_events_older_than_five_days_are_dropped_in_silence(machine: Machine, age_s: int, kept: int) -> None:
    assert decoded(send_track(machine, [event(time=NOW_S - age_s)], verbose="1"))["status"] == 1

    assert machine.events.count() == kept
    assert machine.journal.counters()["track_expired"] == 1 - kept


def test_a_wrong_token_is_accepted_and_goes_nowhere(machine: Machine) -> None:
    assert send_track(machine, [event(token="somebody-elses"), GOOD]).body == b"1"

    assert machine.events.count() == 1
    assert machine.journal.counters()["track_misdirected"] == 1


def test_the_address_stands_for_a_missing_id_only_with_ip_1(machine: Machine) -> None:
    sent = [event(distinct_id=None)]
    send_track(machine, sent)
    send_track(machine, sent, ip="1")

    people = {row[0] for row in machine.database._connection.execute("SELECT distinct_id FROM events")}
    assert len(people) == 2
    assert "" in people


def test_more_than_two_thousand_events_are_answered_413(machine: Machine) -> None:
    assert send_track(machine, [GOOD] * 2001).status == 413


def test_whoever_follows_a_link_is_sent_on(machine: Machine) -> None:
    answer = send_track(machine, event(), redirect="https://example.com/page")
    assert (answer.status, answer.location) == (302, "https://example.com/page")
    assert machine.events.count() == 1
