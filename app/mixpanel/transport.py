"""One HTTP request, and what its status means. Knows HTTP, no Mixpanel nouns, and never tries twice.

`requests` cannot bound a whole exchange: its read time-out starts anew with every packet. So the read
time-out is what the connect time-out leaves of the total, and the body is read piece by piece against the
deadline. What remains unbounded is the name look-up and a server that drips its headers byte by byte.
"""

import os
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar

from app.mixpanel.errors import CredentialRefused, MixpanelError, Rejected, Retryable, Throttled, TooLarge
from app.mixpanel.retry import retry_after_s

MAX_ANSWER_BYTES = 4 * 1024 * 1024  # 2,000 refusals with long messages fit many times over
_PIECE_BYTES = 64 * 1024
_LIMIT = re.compile(rb"limit\D{0,40}(\d{1,15})\s*bytes", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """Describe one request.

    Attributes:
        method: HTTP method.
        url: Absolute, without query.
        params: Query parameters.
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
    """

    method: str
    url: str
    params: Mapping[str, str] = field(default_factory=dict)
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


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an answer's status and (unpacked) body.

    Attributes:
        whole: False where the body was longer than the call takes in, so that its end is missing.
    """

    status: int
    body: bytes = field(repr=False)
    whole: bool = True


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
        self._session = _session(connections)
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
        try:
            answer = self._exchange(call, begun + self.timeout_s)
        except MixpanelError as error:
            trouble = error.trouble if isinstance(error, Retryable) else ""
            self._tell(call, error.status or None, trouble or error.code, begun)
            raise
        self._tell(call, answer.status, "refused" if answer.status in call.readable else "ok", begun)
        return answer

    def _tell(self, call: Call, status: int | None, outcome: str, begun: float) -> None:
        self._observe(Exchange(call, status, outcome, self._monotonic() - begun))

    def _exchange(self, call: Call, deadline: float) -> Answer:
        try:
            with self._request(call) as response:
                body = self._read(response, deadline, call.max_answer_bytes)
        except requests.RequestException as err:
            raise _broken(err) from err
        except (urllib3.exceptions.HTTPError, OSError) as err:
            raise Retryable(f"the answer broke off ({type(err).__name__})", trouble="broken") from err
        status = response.status_code
        if 200 <= status < 300 or status in call.readable:  # noqa: PLR2004 - the bounds of HTTP's success class
            return Answer(status, body, whole=len(body) <= call.max_answer_bytes)
        raise self._refusal(status, body, response.headers.get("Retry-After"))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _request(self, call: Call) -> requests.Response:
        if self._pid != os.getpid():  # a forked worker must not write into its parent's connections
            self._session, self._pid = _session(self._connections), os.getpid()
        headers = {"Content-Type": call.content_type} if call.body is not None else {}
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
            timeout=(self._connect_s, self.timeout_s - self._connect_s),
            allow_redirects=False,
            stream=True,
        )

    def _read(self, response: requests.Response, deadline: float, most_bytes: int) -> bytes:
        pieces: list[bytes] = []
        size = 0
        while size <= most_bytes and (piece := response.raw.read1(_PIECE_BYTES, decode_content=True)):
            pieces.append(piece)
            size += len(piece)
            if self._monotonic() > deadline:
                raise Retryable(f"the answer was not complete within {self.timeout_s:g} s", trouble="timeout")
        return b"".join(pieces)

    def _refusal(self, status: int, body: bytes, retry_after: str | None) -> MixpanelError:
        if status in (401, 403):
            return CredentialRefused(status, f"the credential was refused ({status})")
        if status == 413:  # noqa: PLR2004 - an HTTP status
            return TooLarge(_limit_bytes(body))
        wait_s = retry_after_s(retry_after, self._now())
        if status == 429:  # noqa: PLR2004 - an HTTP status
            return Throttled(wait_s)
        if status == 408 or status >= 500:  # noqa: PLR2004 - HTTP statuses
            return Retryable(f"the server answered {status}", status=status, retry_after_s=wait_s)
        return Rejected(status, f"the server answered {status}")


class _Adapter(HTTPAdapter):
    """Connect with TLS 1.2 or later and leave every retry to the lane."""

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        super().init_poolmanager(connections, maxsize, block, ssl_context=context, **pool_kwargs)


def _session(connections: int) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy, .netrc or certificate setting gets in by a side door
    session.headers["User-Agent"] = "cohort-relay"
    session.cookies = RequestsCookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    adapter = _Adapter(pool_connections=4, pool_maxsize=connections, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _limit_bytes(body: bytes) -> int | None:
    found = _LIMIT.search(body)
    return (int(found[1]) or None) if found else None


def _broken(err: requests.RequestException) -> MixpanelError:
    """Say what a failed exchange means: could the request have arrived?"""
    if isinstance(err, ValueError):  # requests' name for a URL or header that cannot be sent
        return Rejected(0, f"the request could not be formed ({type(err).__name__})")
    if isinstance(err, requests.ReadTimeout):
        return Retryable("no answer in time", trouble="timeout")
    if isinstance(err, requests.ConnectTimeout) or _never_connected(err):
        reason = f"could not connect ({type(err).__name__})"
        return Retryable(reason, outcome_unknown=False, trouble="unreachable")
    return Retryable(f"the connection broke ({type(err).__name__})", trouble="broken")


def _never_connected(err: BaseException) -> bool:
    """Look through what wraps an error for the one that says that no connection came about."""
    seen: list[Any] = [err]
    while seen:
        one = seen.pop()
        if isinstance(one, urllib3.exceptions.NewConnectionError | ssl.SSLCertVerificationError):
            return True
        if isinstance(one, BaseException):
            seen += [*one.args, getattr(one, "reason", None)]
    return False
