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
        readable: Statuses besides 2xx whose answer the caller reads itself instead of getting an exception.
        max_answer_bytes: Most bytes of the (unpacked) answer that are taken in, give or take a piece.
    """

    method: str
    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"
    content_encoding: str | None = None
    integration_id: str | None = None
    auth: tuple[str, str] | None = field(default=None, repr=False)
    readable: frozenset[int] = frozenset()
    max_answer_bytes: int = MAX_ANSWER_BYTES


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold an answer's status and (unpacked) body.

    Attributes:
        whole: False where the body was longer than the call takes in, so that its end is missing.
    """

    status: int
    body: bytes = field(repr=False)
    whole: bool = True


class Transport:
    """Send requests over one pool of kept-alive connections; safe to share between threads.

    Args:
        timeout_s: Most seconds for a whole request (see the module's text for what this cannot cover).
        connect_timeout_s: Most seconds for the connection to stand.
        connections: Connections kept for each host: one for each thread that sends.
        monotonic: Clock of the deadlines, in seconds.
        now: Clock against which a `Retry-After` date is read.
    """

    def __init__(
        self,
        *,
        timeout_s: float = 30.0,
        connect_timeout_s: float = 5.0,
        connections: int = 10,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.timeout_s = timeout_s
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
        deadline = self._monotonic() + self.timeout_s
        try:
            with self._request(call) as response:
                body = self._read(response, deadline, call.max_answer_bytes)
        except requests.RequestException as err:
            raise _broken(err) from err
        except (urllib3.exceptions.HTTPError, OSError) as err:
            raise Retryable(f"the answer broke off ({type(err).__name__})") from err
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
                raise Retryable(f"the answer was not complete within {self.timeout_s:g} s")
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
        return Retryable("no answer in time")
    if isinstance(err, requests.ConnectTimeout) or _never_connected(err):
        return Retryable(f"could not connect ({type(err).__name__})", outcome_unknown=False)
    return Retryable(f"the connection broke ({type(err).__name__})")


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
