"""Server-sent events from the real server: readers that are cut off, slow, too many, or let go.

It writes the log itself, to have much of it at once, so it is no end-to-end test; the server is a real one.
"""

import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from redis import Redis

from app.access.tokens import Tokens
from app.feed.event import Event
from app.feed.following import LOOKS_S
from app.feed.position import Position
from app.store import keys
from tests.e2e.stack import PROJECT_ID, Stack
from tests.integration.feed.written_log import WrittenLog
from tests.integration.subscriptions.entries import entry_of
from tests.unit.feed.logs import Subscriber
from tests.waiting import wait_until

READERS = 3


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Redis and the web server alone, with room for three readers."""
    environ = {"WEB_WORKERS": "1", "WEB_THREADS": "2", "EVENT_READERS": str(READERS)}
    stack = Stack(tmp_path_factory.mktemp("web"), environ=environ)
    stack.redis.start()
    stack.web.start()
    try:
        stack.wait_for_web()
        yield stack
    finally:
        stack.kill()


@pytest.fixture
def redis(web: Stack) -> Iterator[Redis]:
    with web.redis.client() as client:
        client.delete(keys.log(PROJECT_ID), keys.log_meta(PROJECT_ID))
        time.sleep(2 * LOOKS_S)  # the process remembers the end of the log for a moment
        yield client


@pytest.fixture
def log(redis: Redis) -> WrittenLog:
    return WrittenLog(redis)


@pytest.fixture
def token(redis: Redis) -> str:
    _, text = Tokens(redis).create("reader", ["read"], 0)
    return text.reveal()


@contextmanager
def stream(web: Stack, token: str, last: str = "", **query: Any) -> Iterator[http.client.HTTPResponse]:
    headers = {"Authorization": f"Bearer {token}", **({"Last-Event-ID": last} if last else {})}
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
    try:
        connection.request("GET", f"/api/v1/events?{urlencode(query)}", headers=headers)
        yield connection.getresponse()
    finally:
        connection.close()


def blocks(answer: http.client.HTTPResponse) -> Iterator[dict[str, str]]:
    """Yield the blocks of a stream that name an id, as a browser reads them."""
    block: dict[str, str] = {}
    while line := answer.readline().decode():
        if line != "\n":
            name, _, value = line.rstrip("\n").partition(": ")
            block[name] = value
        elif block:
            if "id" in block:
                yield block
            block = {}


def take(subscriber: Subscriber, data: str) -> str:
    """Apply an event to sets, and return its id."""
    told = json.loads(data)
    cohort_id = told.get("subject", "").removeprefix("cohorts/")
    position = Position("", 0)
    subscriber.take(Event(PROJECT_ID, told["type"], position, position, 0, cohort_id, told["data"]))
    return str(told["id"])


def test_a_reader_that_is_cut_off_at_random_rebuilds_the_membership_exactly(
    web: Stack, log: WrittenLog, token: str
) -> None:
    chance = Random("cut off")
    present: dict[str, set[str]] = {"1": set(), "2": set()}
    entries = []
    for sequence in range(1, 301):
        cohort_id = chance.choice("12")
        people = chance.sample([f"p{number}" for number in range(40)], chance.randint(1, 20))
        here = present[cohort_id]
        entered = [each for each in people if each not in here]
        exited = [each for each in people if each in here]
        here |= set(entered)
        here -= set(exited)
        entries.append(entry_of(sequence, entered=entered, exited=exited, cohort_id=cohort_id))
    end = f"g1-300-{entries[-1].changes}"
    subscriber, last, told, previous = Subscriber(), "", 0, None
    while last != end:
        known = len(entries) if told else 100
        written, entries = entries[:known], entries[known:]
        log.write(written)
        with stream(web, token, last, batch=chance.choice([1, 3, 7, 1000]), **{"from": "oldest"}) as answer:
            for number, block in enumerate(blocks(answer)):
                if "data" in block:
                    if number:
                        assert json.loads(block["data"])["previous"] == previous
                    last = previous = take(subscriber, block["data"])
                    told += 1
                if last == end or chance.random() < 0.05:
                    break
    assert subscriber.membership == {each: frozenset(people) for each, people in present.items() if people}
    assert told > 300


def test_events_come_as_they_happen_and_filters_let_through_what_is_wanted(
    web: Stack, log: WrittenLog, token: str
) -> None:
    with stream(web, token, types="sync.completed") as answer:
        assert answer.status == 200
        assert (answer.headers["Content-Type"] or "").startswith("text/event-stream")
        log.tell(2, "sync.started")
        log.tell(1, "sync.completed")
        told = json.loads(next(blocks(answer))["data"])
    assert (told["type"], int(told["sequence"])) == ("cohort-relay.sync.completed", 3)


def test_when_all_seats_are_taken_one_more_gets_503_and_everybody_else_an_answer(
    web: Stack, log: WrittenLog, token: str
) -> None:
    log.tell()
    with ExitStack() as readers:
        for _ in range(READERS):
            readers.enter_context(stream(web, token))
        with stream(web, token) as refused:
            assert (refused.status, json.loads(refused.read())["code"]) == (503, "too_many_streams")
            assert int(refused.headers["Retry-After"]) > 0
        for _ in range(5):
            assert requests.get(f"{web.url}/healthz", timeout=5).status_code == 200

    def lets_in() -> bool:
        with stream(web, token) as answer:
            return answer.status == 200

    wait_until(lets_in, 5, "those who are gone have left their seats")


def test_a_reader_that_takes_nothing_holds_up_no_other(web: Stack, log: WrittenLog, token: str) -> None:
    entries = 400
    log.write(
        entry_of(number, entered=[f"{number}-{each}" for each in range(250)])
        for number in range(1, entries + 1)
    )
    request = f"GET /api/v1/events?from=oldest HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", web.port))
        stuck.sendall(request.encode())
        with stream(web, token, **{"from": "oldest"}) as answer:
            for block in blocks(answer):
                if int(json.loads(block["data"])["sequence"]) == entries:
                    break


def test_it_ends_when_the_server_stops_and_curl_reads_it(web: Stack, log: WrittenLog, token: str) -> None:
    assert shutil.which("curl"), "curl is not installed"
    log.tell()
    command = ["curl", "-sN", "-H", f"Authorization: Bearer {token}", f"{web.url}/api/v1/events?from=oldest"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as curl:
        assert curl.stdout
        lines = [curl.stdout.readline() for _ in range(3)]
        assert lines[0] == b"retry: 3000\n"
        assert lines[2].startswith(b"id: ")
        web.web.stop()
        assert curl.wait(20) == 0
    web.web.start()
    web.wait_for_web()
