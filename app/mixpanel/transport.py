"""One HTTP request, and what its status means. Knows HTTP, no Mixpanel nouns, and never tries twice.

`requests` cannot bound a whole exchange: its read time-out starts anew with every packet. So the read
time-out is what the connect time-out leaves of the total, and the body is read piece by piece against the
deadline. What remains unbounded is the name look-up and a server that drips its headers byte by byte.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import requests
import urllib3

from app.mixpanel.errors import MixpanelError, Retryable
from app.mixpanel.refusals import broken, refusal
from app.mixpanel.session import make_session

MAX_ANSWER_BYTES = 4 * 1024 * 1024  # 2,000 refusals with long messages fit many times over
_PIECE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """Describe one request.

    Attributes:
        method: HTTP method.
        url: Absolute, without query.
        params: Query parameters; pairs where a name comes several times.
        body: Bytes to send, or None.
        content_type: Of the body.
        content_encoding: Of the body, such as `gzip`; None where it is sent as it is.
        integration_id: Sent as `X-Mixpanel-Integration-ID` where there is one.
        auth: Basic-auth username and password, or None.
        bearer: OAuth token, or None.
        readable: Statuses besides 2xx whose answer the caller reads itself instead of getting an exception.
        max_answer_bytes: Most bytes of the (unpacked) answer that are taken in, give or take a piece.
        project_id: Whose it is; for logs and metrics only, like `records`.
        records: How many records it hands over, or None.
        headers: Further headers.
        timeout_s: Most seconds for the whole request, where it is not the transport's own.
        route: What logs and metrics call the address, where ids and names stand in it; empty: its path.
    """

    method: str
    url: str
    params: Mapping[str, str] | Sequence[tuple[str, str]] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"
    content_encoding: str | None = None
    integration_id: str | None = None
    auth: tuple[str, str] | None = field(default=None, repr=False)
    bearer: str | None = field(default=None, repr=False)
    readable: frozenset[int] = frozenset()
    max_answer_bytes: int = MAX_ANSWER_BYTES
    project_id: str = ""
    records: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float | None = None
    route: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an answer's status and (unpacked) body.

    Attributes:
        whole: False where the body was longer than the call takes in, so that its end is missing.
        content_type: Of the body; empty where the answer does not say.
    """

    status: int
    body: bytes = field(repr=False)
    whole: bool = True
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Streamed:
    """Hold an answer whose (unpacked) body is still arriving; its pieces can be taken once.

    A piece raises what `Transport.send` raises where the connection breaks or nothing comes for as long as a
    whole request may take.
    """

    status: int
    content_type: str
    pieces: Iterator[bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Say what came of a call.

    Attributes:
        call: The call.
        status: The answer's; None where none came.
        outcome: `ok`, `refused` (an answer that the caller reads itself), or an error's code or trouble.
        seconds: What it took.
    """

    call: Call
    status: int | None
    outcome: str
    seconds: float


def unobserved(_exchange: Exchange) -> None:
    """Tell nobody."""


class Transport:
    """Send requests over one pool of kept-alive connections; safe to share between threads.

    Args:
        timeout_s: Most seconds for a whole request (see the module's text for what this cannot cover).
        connect_timeout_s: Most seconds for the connection to stand.
        connections: Connections kept for each host: one for each thread that sends.
        monotonic: Clock of the deadlines, in seconds.
        now: Clock against which a `Retry-After` date is read.
        observe: Is told what came of each request, in the thread that made it.
    """

    def __init__(
        self,
        *,
        timeout_s: float = 30.0,
        connect_timeout_s: float = 5.0,
        connections: int = 10,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        observe: Callable[[Exchange], None] = unobserved,
    ) -> None:
        self.timeout_s = timeout_s
        self._observe = observe
        self._connect_s = min(connect_timeout_s, timeout_s / 2)
        self._connections = connections
        self._monotonic = monotonic
        self._now = now
        self._session = make_session(connections)
        self._pid = os.getpid()

    def send(self, call: Call) -> Answer:
        """Make one request.

        Returns:
            The answer, if its status is 2xx or one that the call wants to read itself.

        Raises:
            CredentialRefused: 401, 403.
            TooLarge: 413.
            Throttled: 429.
            Retryable: 408, 5xx, time-out, broken connection.
            Rejected: Every other status (no redirect is followed: a request must not wander to another host).
        """
        begun = self._monotonic()
        with self._telling(call, begun):
            answer = self._exchange(call, begun + (call.timeout_s or self.timeout_s))
        self._tell(call, answer.status, "refused" if answer.status in call.readable else "ok", begun)
        return answer

    @contextmanager
    def stream(self, call: Call) -> Iterator[Streamed]:
        """Make one request whose answer may be of any length, in the memory of one piece.

        Raises:
            MixpanelError: As `send`.
        """
        begun = self._monotonic()
        with self._telling(call, begun):
            with _broken_off():  # not around the caller's part, whose own failures are its own
                response = self._request(call)
            with response:
                status = response.status_code
                if not 200 <= status < 300:  # noqa: PLR2004 - the bounds of HTTP's success class
                    with _broken_off():
                        body = self._read(response, begun + self.timeout_s, call.max_answer_bytes)
                    raise refusal(status, body, response.headers.get("Retry-After"), self._now())
                try:
                    yield Streamed(status, response.headers.get("Content-Type", ""), _pieces(response))
                except MixpanelError:
                    raise
                except BaseException:  # the caller has had enough of it
                    self._tell(call, status, "ok", begun)
                    raise
        self._tell(call, status, "ok", begun)

    @contextmanager
    def _telling(self, call: Call, begun: float) -> Iterator[None]:
        try:
            yield
        except MixpanelError as error:
            trouble = error.trouble if isinstance(error, Retryable) else ""
            self._tell(call, error.status or None, trouble or error.code, begun)
            raise

    def _tell(self, call: Call, status: int | None, outcome: str, begun: float) -> None:
        self._observe(Exchange(call, status, outcome, self._monotonic() - begun))

    def _exchange(self, call: Call, deadline: float) -> Answer:
        with _broken_off(), self._request(call) as response:
            body = self._read(response, deadline, call.max_answer_bytes)
        status = response.status_code
        if 200 <= status < 300 or status in call.readable:  # noqa: PLR2004 - the bounds of HTTP's success class
            whole = len(body) <= call.max_answer_bytes
            return Answer(status, body, whole, response.headers.get("Content-Type", ""))
        raise refusal(status, body, response.headers.get("Retry-After"), self._now())

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _request(self, call: Call) -> requests.Response:
        if self._pid != os.getpid():  # a forked worker must not write into its parent's connections
            self._session, self._pid = make_session(self._connections), os.getpid()
        headers = {"Content-Type": call.content_type} if call.body is not None else {}
        headers.update(call.headers)
        if call.content_encoding:
            headers["Content-Encoding"] = call.content_encoding
        if call.integration_id:
            headers["X-Mixpanel-Integration-ID"] = call.integration_id
        if call.bearer:
            headers["Authorization"] = f"Bearer {call.bearer}"
        return self._session.request(
            call.method,
            call.url,
            params=call.params,
            data=call.body,
            headers=headers,
            auth=call.auth,
            timeout=self._timeouts(call.timeout_s or self.timeout_s),
            allow_redirects=False,
            stream=True,
        )

    def _timeouts(self, whole_s: float) -> tuple[float, float]:
        connect_s = min(self._connect_s, whole_s / 2)
        return connect_s, whole_s - connect_s

    def _read(self, response: requests.Response, deadline: float, most_bytes: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while size <= most_bytes and (piece := response.raw.read1(_PIECE_BYTES, decode_content=True)):
            pieces.append(piece)
            size += len(piece)
            if self._monotonic() > deadline:
                raise Retryable(f"the answer was not complete within {self.timeout_s:g} s", trouble="timeout")
        return b"".join(pieces)


@contextmanager
def _broken_off() -> Iterator[None]:
    try:
        yield
    except requests.RequestException as err:
        raise broken(err) from err
    except urllib3.exceptions.ReadTimeoutError as err:
        raise Retryable("the answer came to a halt", trouble="timeout") from err
    except (urllib3.exceptions.HTTPError, OSError) as err:
        raise Retryable(f"the answer broke off ({type(err).__name__})", trouble="broken") from err


def _pieces(response: requests.Response) -> Iterator[bytes]:
    with _broken_off():
        while piece := response.raw.read1(_PIECE_BYTES, decode_content=True):
            yield piece
