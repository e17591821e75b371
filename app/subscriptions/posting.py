"""One POST to a subscriber: only to addresses that may be called, within one deadline; what came of it."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import requests
import urllib3

from app.subscriptions.addresses import AddressPolicy, AddressRefused, Resolver, resolve
from app.subscriptions.guarded import Guard, session_of

MAX_BODY_BYTES: Final = 64 * 1024
"""Most bytes of an answer's body that are read, so that the connection can be used again; more closes it."""

_PIECE_BYTES: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class Posted:
    """What came of a request.

    Attributes:
        status: the answer's; None where none came.
        trouble: what went wrong on the way, if something did: `address_refused`, `unresolved`, `unreachable`,
            `tls`, `timeout`, `broken`, `invalid_url`.
        reason: the outcome in words; nothing of what the receiver said is in it.
        retry_after: the answer's header, as it came.
        seconds: how long it took.
    """

    status: int | None
    trouble: str | None
    reason: str
    retry_after: str | None
    seconds: float

    @property
    def taken(self) -> bool:
        """Whether the receiver has taken it."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - HTTP's success class


class Poster:
    """Post over kept-alive connections; safe to share between threads.

    Args:
        policy: which addresses may be called.
        timeout_s: most seconds for a whole request behind the look-up of the host.
        connections: connections kept open for each host, and hosts to which some are.
        resolver: looks hosts up.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        *,
        timeout_s: float = 15.0,
        connections: int = 64,
        resolver: Resolver = resolve,
    ) -> None:
        self._guard = Guard(policy, resolver)
        self._timeout_s = timeout_s
        self._connections = connections
        self._session = session_of(self._guard, connections)
        self._pid = os.getpid()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """Post a body, and say what came of it. No redirect is followed: its status is the answer."""
        begun = time.monotonic()
        with self._guard.attempt(self._timeout_s) as attempt:
            try:
                status, retry_after = self._exchange(url, body, headers)
            except (
                requests.RequestException,
                urllib3.exceptions.HTTPError,
                OSError,
                ValueError,
                AddressRefused,
            ) as error:
                trouble, reason = attempt.told(error)
                return Posted(None, trouble, reason, None, time.monotonic() - begun)
            if attempt.is_over:  # the answer's head was cut off, which HTTP takes for its end
                return Posted(None, "timeout", "no answer in time", None, time.monotonic() - begun)
        return Posted(status, None, f"answered {status}", retry_after, time.monotonic() - begun)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _exchange(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str | None]:
        if self._pid != os.getpid():  # a forked process must not write into its parent's connections
            self._session, self._pid = session_of(self._guard, self._connections), os.getpid()
        with self._session.post(
            url, data=body, headers=dict(headers), timeout=self._timeout_s, allow_redirects=False, stream=True
        ) as response:
            size = 0
            # Read as it comes, not unpacked: a small body could become a huge one.
            while size <= MAX_BODY_BYTES and (
                piece := response.raw.read1(_PIECE_BYTES, decode_content=False)
            ):
                size += len(piece)
            return response.status_code, response.headers.get("Retry-After")
