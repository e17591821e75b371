"""Whether a host can be reached, tried over real sockets."""

import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from app.status.connecting import reachable

TIMEOUT_S = 0.3


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def address(server: socket.socket) -> str:
    return f"127.0.0.1:{server.getsockname()[1]}"


def test_somebody_who_listens_is_reachable(listening: socket.socket) -> None:
    check = reachable(f"http://{address(listening)}/path", "1001", TIMEOUT_S)
    assert (check.verdict, check.project_id) == ("ok", "1001")
    assert address(listening) in check.found


def test_nobody_there_is_a_failure_with_the_reason() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # not listening, and nobody else can
        check = reachable(f"http://{address(bound)}", "1001", TIMEOUT_S)
    assert check.verdict == "fail"
    assert "refused" in check.found
    assert "--offline" in check.advice


def test_a_host_that_takes_the_connection_and_says_nothing_is_a_failure(listening: socket.socket) -> None:
    check = reachable(f"https://{address(listening)}", "1001", TIMEOUT_S)
    assert check.verdict == "fail"
    assert "no answer in time" in check.found


def test_a_host_that_does_not_speak_tls_is_a_failure(listening: socket.socket) -> None:
    def answer() -> None:
        with listening.accept()[0] as connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    thread = Thread(target=answer)
    thread.start()
    check = reachable(f"https://{address(listening)}", "1001", 5.0)
    thread.join()
    assert check.verdict == "fail"
    assert "TLS fails" in check.found


def test_a_name_that_nobody_knows_is_a_failure() -> None:
    check = reachable("https://no-such-host.invalid", "1001", TIMEOUT_S)
    assert check.verdict == "fail"
    assert "no-such-host.invalid:443 cannot be reached" in check.found


def test_a_connection_to_another_machine_ought_to_be_encrypted(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = listening.getsockname()[1]
    # Only the name counts: what it resolves to is this machine, so that no packet leaves it.
    real = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda _, timeout: real(("127.0.0.1", port), timeout))
    check = reachable(f"http://proxy.example:{port}", "1001", TIMEOUT_S)
    assert check.verdict == "warn"
    assert "https" in check.advice
