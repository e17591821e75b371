import gzip
import socket
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from threading import Event

import pytest

from app.subscriptions import building, guarded
from app.subscriptions.addresses import AddressPolicy, Found, Resolver, resolve
from app.subscriptions.guarded import Guard
from app.subscriptions.posting import Poster
from tests.integration.subscriptions.receiver import plainly, receiving, receiving_noise

LOOPBACK = (ip_network("127.0.0.1/32"),)


@contextmanager
def posting(*allowed: str, timeout_s: float = 5, resolver: Resolver = resolve) -> Iterator[Poster]:
    poster = Poster(
        AddressPolicy(map(ip_network, allowed or ["127.0.0.1/32"])), timeout_s=timeout_s, resolver=resolver
    )
    try:
        yield poster
    finally:
        poster.close()


def test_a_body_with_its_headers_arrives_and_its_connection_is_used_again() -> None:
    with receiving(plainly()) as receiver, posting() as poster:
        for number in range(3):
            posted = poster.post(receiver.url(), b"{%d}" % number, {"webhook-id": f"m{number}"})
            assert (posted.status, posted.trouble, posted.taken) == (204, None, True)
    assert receiver.connections == 1
    assert [request.rpartition(b"\r\n\r\n")[2] for request in receiver.requests] == [b"{0}", b"{1}", b"{2}"]
    assert b"webhook-id: m2" in receiver.requests[2]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0"],
)
def test_loopback_is_not_called_however_it_is_written(host: str) -> None:
    with receiving(plainly()) as receiver, posting("192.0.2.0/24") as poster:
        posted = poster.post(receiver.url(host), b"{}", {})
    assert (posted.status, posted.trouble) == (None, "address_refused")
    assert receiver.connections == 0


def test_a_name_that_leads_elsewhere_the_second_time_is_refused_then() -> None:
    answers = [[(int(socket.AF_INET), "127.0.0.1")], [(int(socket.AF_INET), "127.0.0.2")]]
    with (
        receiving(plainly(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")) as receiver,
        posting(resolver=lambda _host, _port: answers.pop(0)) as poster,
    ):
        first = poster.post(receiver.url("rebinding.example"), b"{}", {})
        second = poster.post(receiver.url("rebinding.example"), b"{}", {})
    assert first.taken  # one look-up was all it took: what was checked is what was connected to
    assert second.trouble == "address_refused"
    assert receiver.connections == 1


def test_the_next_address_is_tried_where_one_cannot_be_reached() -> None:
    found = [(int(socket.AF_INET), "127.0.0.3"), (int(socket.AF_INET), "127.0.0.1")]
    with (
        receiving(plainly()) as receiver,
        posting("127.0.0.0/8", resolver=lambda _host, _port: found) as poster,
    ):
        assert poster.post(receiver.url("two.example"), b"{}", {}).taken


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    with receiving(plainly()) as other:
        head = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {other.url()}\r\nContent-Length: 0\r\n\r\n"
        with receiving(plainly(head.encode())) as receiver, posting() as poster:
            posted = poster.post(receiver.url(), b"{}", {})
    assert (posted.status, posted.taken) == (307, False)
    assert other.connections == 0


@pytest.mark.parametrize("location", ["/elsewhere", "http://["])
def test_the_body_of_a_redirect_is_read_no_further_and_unpacked_no_more_than_any_other(location: str) -> None:
    packed = gzip.compress(bytes(40_000_000))
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Encoding: gzip\r\nContent-Length: "
    with (
        receiving(plainly(head.encode() + b"%d\r\n\r\n" % len(packed) + packed)) as receiver,
        posting() as poster,
    ):
        tracemalloc.start()
        try:
            posted = poster.post(receiver.url(), b"{}", {})
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert (posted.status, posted.trouble) == (302, None)
    assert most < 10_000_000


def test_a_look_up_without_an_answer_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "LOOK_UP_S", 0.2)
    over = Event()

    def silent(_host: str, _port: int) -> list[Found]:
        over.wait(20)
        return []

    with posting(resolver=silent) as poster:
        posted = poster.post("http://silent.example/", b"{}", {})
    over.set()
    assert posted.trouble == "unresolved"
    assert posted.seconds < 3


def test_a_turn_lasts_longer_than_a_look_up_and_a_request() -> None:
    assert building._MORE_S > guarded.LOOK_UP_S


def test_many_addresses_that_do_not_answer_take_no_longer_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def swallow(_guard: Guard, _family: int, address: str, _connection: object) -> socket.socket:
        tried.append(address)
        time.sleep(0.3)
        raise TimeoutError

    monkeypatch.setattr(Guard, "_to", swallow)
    found = [(int(socket.AF_INET), f"127.0.0.{last}") for last in range(2, 100)]
    with posting("127.0.0.0/8", timeout_s=0.5, resolver=lambda _host, _port: found) as poster:
        posted = poster.post("http://many.example/", b"{}", {})
    assert posted.trouble == "timeout"
    assert len(tried) < 5


@pytest.mark.parametrize("host", ["a..b.example", f"{'a' * 64}.example", "*.example", "a%00b.example"])
def test_a_host_that_cannot_be_looked_up_is_an_outcome_as_any_other(host: str) -> None:
    with posting() as poster:
        assert poster.post(f"http://{host}/", b"{}", {}).trouble in ("invalid_url", "unresolved")


def _drip(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(100):
        connection.sendall(b"X-Slow: 1\r\n")
        time.sleep(0.1)


def _hang(connection: socket.socket, _request: bytes) -> None:
    connection.recv(1)


@pytest.mark.parametrize("answer", [_drip, _hang])
def test_a_receiver_that_drips_or_hangs_is_left_when_the_time_is_over(answer: object) -> None:
    with receiving(answer) as receiver, posting(timeout_s=0.5) as poster:  # type: ignore[arg-type]
        posted = poster.post(receiver.url(), b"{}", {})
    assert (posted.status, posted.trouble) == (None, "timeout")
    assert posted.seconds < 4


def test_no_more_of_a_large_answer_is_read_than_the_limit() -> None:
    sent = []

    def flood(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            sent.append(connection.send(b"x" * 65_536))

    with receiving(flood) as receiver, posting() as poster:
        posted = poster.post(receiver.url(), b"{}", {})
    assert posted.taken
    assert sum(sent) < 20_000_000  # what the sockets' buffers hold, and no more


def test_a_cookie_is_not_kept() -> None:
    with (
        receiving(plainly(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")) as receiver,
        posting() as poster,
    ):
        poster.post(receiver.url(), b"{}", {})
        poster.post(receiver.url(), b"{}", {})
    assert b"cookie" not in receiver.requests[1].lower()


def _cut(connection: socket.socket, _request: bytes) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def test_what_went_wrong_is_told_in_a_word() -> None:
    with posting() as poster:
        with receiving(_cut) as receiver:
            assert poster.post(receiver.url(), b"{}", {}).trouble == "broken"
        assert poster.post(receiver.url(), b"{}", {}).trouble == "unreachable"
        with receiving_noise() as receiver:
            assert poster.post(receiver.url(scheme="https"), b"{}", {}).trouble == "tls"
        assert poster.post("http://no-such-host.invalid/", b"{}", {}).trouble == "unresolved"
        assert poster.post("http://", b"{}", {}).trouble == "invalid_url"
