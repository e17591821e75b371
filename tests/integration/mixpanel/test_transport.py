import os
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from app.mixpanel.errors import CredentialRefused, MixpanelError, Rejected, Retryable, Throttled, TooLarge
from app.mixpanel.transport import MAX_ANSWER_BYTES, Call, Transport
from tests.integration.mixpanel.conftest import MakeTransport
from tests.integration.mixpanel.server import Reply, Server


def call(server: Server, **more: object) -> Call:
    return Call("POST", f"{server.url}/engage", params={"ip": "0"}, body=b"[1]", **more)  # type: ignore[arg-type] # a test's short form


def failure(transport: Transport, server: Server, reply: Reply) -> MixpanelError:
    server.behaviour = lambda _request: reply
    with pytest.raises(MixpanelError) as caught:
        transport.send(call(server))
    return caught.value


def test_a_request_carries_what_the_call_says(transport: Transport, server: Server) -> None:
    answer = transport.send(call(server, integration_id="my-company", auth=("user", "secret")))
    assert (answer.status, answer.body) == (200, b'{"status": 1, "error": null}')
    (request,) = server.requests
    assert (request.path, request.query, request.body) == ("/engage", "ip=0", b"[1]")
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Mixpanel-Integration-ID"] == "my-company"
    assert request.headers["Authorization"] == "Basic dXNlcjpzZWNyZXQ="


def test_without_integration_and_credential_no_such_header_goes_out(
    transport: Transport, server: Server
) -> None:
    transport.send(call(server))
    assert "X-Mixpanel-Integration-ID" not in server.requests[0].headers
    assert "Authorization" not in server.requests[0].headers


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_credential_has_its_own_error(transport: Transport, server: Server, status: int) -> None:
    error = failure(transport, server, Reply(status))
    assert isinstance(error, CredentialRefused)
    assert error.status == status


@pytest.mark.parametrize("status", [301, 302, 304, 400, 404, 405, 409, 410, 415, 422, 451])
def test_other_statuses_below_500_are_permanent(transport: Transport, server: Server, status: int) -> None:
    error = failure(transport, server, Reply(status, body=b"", headers={"Location": "/elsewhere"}))
    assert isinstance(error, Rejected)
    assert error.status == status
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 520])
def test_a_server_error_is_retryable_and_its_outcome_unknown(
    transport: Transport, server: Server, status: int
) -> None:
    error = failure(transport, server, Reply(status, headers={"Retry-After": "9"}))
    assert isinstance(error, Retryable)
    assert (error.status, error.outcome_unknown, error.retry_after_s) == (status, True, 9.0)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("headers", "wait_s"), [({}, 0.0), ({"Retry-After": "17"}, 17.0), ({"Retry-After": "x"}, 0.0)]
)
def test_a_429_says_how_long_to_wait(
    transport: Transport, server: Server, headers: dict[str, str], wait_s: float
) -> None:
    error = failure(transport, server, Reply(429, headers=headers))
    assert isinstance(error, Throttled)
    assert error.retry_after_s == wait_s


def test_a_429_may_give_a_date(transport: Transport, server: Server) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    error = failure(transport, server, Reply(429, headers={"Retry-After": date}))
    assert isinstance(error, Throttled)
    assert 25.0 < error.retry_after_s <= 30.0


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        (b'{"code": 413, "error": "request exceeds max limit of 2097152 bytes", "status": "..."}', 2_097_152),
        (b"Limit: 1000 bytes", 1000),
        (b"limit of 0 bytes", None),
        (b"too large", None),
        (b"", None),
        (b"limit of " + b"9" * 40 + b" bytes", None),
    ],
)
def test_a_413_names_the_limit_where_its_text_does(
    transport: Transport, server: Server, body: bytes, limit: int | None
) -> None:
    error = failure(transport, server, Reply(413, body))
    assert isinstance(error, TooLarge)
    assert error.limit_bytes == limit


def test_a_413_that_comes_before_the_body_was_read_is_still_a_413(
    transport: Transport, server: Server
) -> None:
    server.behaviour = lambda _request: Reply(413, b"limit of 1000 bytes", unread=True)
    with pytest.raises((TooLarge, Retryable)) as caught:
        transport.send(Call("POST", server.url, body=b"x" * 200_000))
    assert isinstance(caught.value, TooLarge)


def test_a_status_that_the_caller_reads_itself_is_an_answer(transport: Transport, server: Server) -> None:
    server.behaviour = lambda _request: Reply(400, b"why")
    answer = transport.send(call(server, readable=frozenset({400})))
    assert (answer.status, answer.body) == (400, b"why")


def test_an_answer_that_does_not_come_ends_in_time_with_its_outcome_unknown(
    make_transport: MakeTransport, server: Server
) -> None:
    started = time.monotonic()
    error = failure(make_transport(0.4, 0.1), server, Reply(pause_s=5.0))
    assert isinstance(error, Retryable)
    assert error.outcome_unknown
    assert time.monotonic() - started < 2.0


def test_an_answer_that_drips_ends_at_the_total_deadline(
    make_transport: MakeTransport, server: Server
) -> None:
    started = time.monotonic()
    error = failure(make_transport(0.4, 0.1), server, Reply(body=b"1" * 200, drip_s=0.05))
    assert isinstance(error, Retryable)
    assert error.outcome_unknown
    assert time.monotonic() - started < 2.0


@pytest.mark.parametrize("cut", ["before", "body"])
def test_a_cut_connection_leaves_the_outcome_unknown(transport: Transport, server: Server, cut: str) -> None:
    error = failure(transport, server, Reply(cut=cut))  # type: ignore[arg-type] # one of the two literals
    assert isinstance(error, Retryable)
    assert error.outcome_unknown
    assert len(server.requests) == 1


def test_what_could_not_connect_cannot_have_arrived(transport: Transport) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else can take the port
        with pytest.raises(Retryable) as caught:
            transport.send(Call("POST", f"http://127.0.0.1:{taken.getsockname()[1]}/engage", body=b"[]"))
    assert not caught.value.outcome_unknown


def test_a_host_that_does_not_exist_cannot_have_received_anything(transport: Transport) -> None:
    with pytest.raises(Retryable) as caught:
        transport.send(Call("POST", "http://mixpanel.invalid/engage", body=b"[]"))
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1/x", "http://"])
def test_a_url_that_cannot_be_asked_is_permanent(transport: Transport, url: str) -> None:
    with pytest.raises(Rejected) as caught:
        transport.send(Call("POST", url, body=b"[]"))
    assert caught.value.status == 0


def test_a_thread_keeps_its_connection_alive(transport: Transport, server: Server) -> None:
    for _ in range(5):
        transport.send(call(server))
    failure(transport, server, Reply(503))
    failure(transport, server, Reply(413, b"limit of 1 bytes"))
    assert len(server.requests) == 7
    assert len(server.peers) == 1


def test_many_threads_share_the_pool(make_transport: MakeTransport, server: Server) -> None:
    transport = make_transport(connections=4)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: transport.send(call(server)).status, range(60)))
    assert answers == [200] * 60
    assert len(server.peers) <= 4


def test_a_connection_that_the_server_closed_while_idle_is_replaced(
    transport: Transport, server: Server
) -> None:
    transport.send(call(server))
    server.drop_connections()
    time.sleep(0.05)
    assert transport.send(call(server)).status == 200


def test_an_endless_answer_is_not_taken_in(transport: Transport, server: Server) -> None:
    server.behaviour = lambda _request: Reply(body=b"x" * (3 * MAX_ANSWER_BYTES))
    assert len(transport.send(call(server)).body) < 2 * MAX_ANSWER_BYTES


def test_cookies_are_not_kept_and_settings_of_the_environment_not_used(
    transport: Transport, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.behaviour = lambda _request: Reply(headers={"Set-Cookie": "a=b"})
    transport.send(call(server))
    transport.send(call(server))
    assert "Cookie" not in server.requests[1].headers
    assert "Authorization" not in server.requests[1].headers


def test_tls_below_1_2_is_not_spoken(transport: Transport) -> None:
    adapter = transport._session.get_adapter("https://api.mixpanel.com")
    context = adapter.poolmanager.connection_pool_kw["ssl_context"]  # type: ignore[attr-defined] # an HTTPAdapter
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED


def test_no_retry_is_left_to_the_library(transport: Transport) -> None:
    for scheme in ("https://", "http://"):
        retries = transport._session.get_adapter(scheme).max_retries  # type: ignore[attr-defined] # an HTTPAdapter
        assert (retries.total, retries.read) == (0, False)


def test_a_forked_process_opens_its_own_connection(transport: Transport, server: Server) -> None:
    transport.send(call(server))
    inherited = transport._session
    transport._pid = os.getpid() + 1  # as it looks from the child
    transport.send(call(server))
    assert transport._session is not inherited
    assert len(server.peers) == 2
    inherited.close()


def test_errors_say_nothing_of_what_was_sent_or_answered(transport: Transport, server: Server) -> None:
    for status in (400, 401, 403, 404, 413, 429, 500):
        error = failure(
            transport, server, Reply(status, b'{"error": "token 4f2ac9b0e1 of jane@example.com"}')
        )
        assert "4f2a" not in str(error) + repr(vars(error))
        assert "jane" not in str(error) + repr(vars(error))
