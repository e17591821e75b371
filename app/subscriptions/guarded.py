"""Connections that check where they lead, and end with their request's deadline.

`requests` looks a host up when it connects, so a check before that could be fooled by a name that leads
elsewhere a moment later. Here the connection itself looks up, checks, and connects to what it has checked.
The deadline holds for everything behind the look-up, a receiver that drips its answer byte by byte included:
when it is over, the socket is shut down under whoever waits for it. The look-up has a limit of its own.
"""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from queue import Empty, SimpleQueue
from threading import Thread, Timer, local
from typing import Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool

from app.mixpanel.session import tls_context
from app.subscriptions.addresses import AddressPolicy, AddressRefused, Found, Resolver

LOOK_UP_S: Final = 4.0
"""Names are looked up for so long at most. Less than what a turn's lease has beyond a request's time: else a
name server that does not answer would cost the turn, and what went wrong would never be noted."""


class Attempt:
    """One request: the sockets it uses, which are shut down when its time is over, and what was met."""

    def __init__(self, seconds: float) -> None:
        self.connected = False
        self.is_over = False
        self._sockets: list[socket.socket] = []
        self._timer = Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def watch(self, sock: socket.socket) -> None:
        """Have a socket shut down in time, by a duplicate: TLS takes the descriptor away from the socket."""
        self._sockets.append(socket.socket(fileno=os.dup(sock.fileno())))
        if self.is_over:
            self._end()

    def close(self) -> None:
        """End the watch."""
        self._timer.cancel()
        for each in self._sockets:
            each.close()

    def told(self, error: Exception) -> tuple[str, str]:
        """Say in a word, and in words, what an error means."""
        if isinstance(error, AddressRefused):
            return "address_refused", str(error)
        if isinstance(error, ValueError):  # requests' name for a URL or header that cannot be sent
            return "invalid_url", f"the request could not be formed ({type(error).__name__})"
        if self.is_over or isinstance(error, requests.Timeout):
            return "timeout", "no answer in time" if self.connected else "could not connect in time"
        return self._broken(error)

    def _broken(self, error: Exception) -> tuple[str, str]:
        if isinstance(error, requests.exceptions.SSLError):
            return "tls", "no safe connection: the certificate or the TLS version is not accepted"
        if self.connected:
            return "broken", "the connection broke before the answer was complete"
        if _is_among(error, socket.gaierror):
            return "unresolved", "the host's name is not known, or could not be looked up in time"
        return "unreachable", "could not connect"

    def _end(self) -> None:
        self.is_over = True
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


class Guard:
    """Whom every connection asks where it may connect to, and under which request it is used."""

    def __init__(self, policy: AddressPolicy, resolver: Resolver) -> None:
        self._policy = policy
        self._resolve = resolver
        self._of_thread = local()

    @contextmanager
    def attempt(self, seconds: float) -> Iterator[Attempt]:
        """Begin this thread's request, which has so many seconds."""
        attempt = self._of_thread.attempt = Attempt(seconds)
        try:
            yield attempt
        finally:
            attempt.close()

    def use(self, sock: socket.socket) -> None:
        """Note that this thread's request uses a socket that is connected."""
        self._of_thread.attempt.connected = True
        self._of_thread.attempt.watch(sock)

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """Connect to one of a host's addresses, the first that can be reached, if all of them may be called.

        Raises:
            AddressRefused: one of them may not.
            OSError: the host is unknown, or none of its addresses can be reached.
        """
        found = self._policy.choose(self._look_up(connection.host.strip("[]"), connection.port))
        for family, address in found[:-1]:
            with suppress(OSError):
                return self._to(family, address, connection)
            if self._of_thread.attempt.is_over:
                raise TimeoutError
        return self._to(*found[-1], connection)

    def _look_up(self, host: str, port: int) -> Sequence[Found]:
        """Look a host up in a thread of its own: nothing can end a look-up, but it can be left behind."""
        answers: SimpleQueue[Sequence[Found] | Exception] = SimpleQueue()

        def look() -> None:
            try:
                answers.put(self._resolve(host, port))
            except Exception as error:  # noqa: BLE001 - handed over to whoever asked
                answers.put(error)

        Thread(target=look, name="look-up", daemon=True).start()
        try:
            found = answers.get(timeout=LOOK_UP_S)
        except Empty:
            raise socket.gaierror(socket.EAI_AGAIN, "not looked up in time") from None
        if isinstance(found, Exception):
            raise found
        return found

    def _to(self, family: int, address: str, connection: HTTPConnection) -> socket.socket:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(connection.timeout)
            self._of_thread.attempt.watch(sock)
            sock.connect((address, connection.port))
        except OSError:
            sock.close()
            raise
        self._of_thread.attempt.connected = True
        return sock


class _Guarded(HTTPConnection):
    """A connection that goes where the guard lets it."""

    def __init__(self, *args: Any, guard: Guard, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard = guard

    def _new_conn(self) -> socket.socket:
        return self._guard.connect(self)

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:  # kept alive from an earlier request
            self._guard.use(self.sock)
        super().request(*args, **kwargs)


class _GuardedTLS(_Guarded, HTTPSConnection):
    """The same with TLS."""


class _Pools(urllib3.PoolManager):
    """Makes pools of guarded connections."""

    def __init__(self, guard: Guard, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard = guard

    def _new_pool(
        self, scheme: str, host: str, port: int, request_context: dict[str, Any] | None = None
    ) -> HTTPConnectionPool:
        pool = super()._new_pool(scheme, host, port, request_context)
        kind = _GuardedTLS if scheme == "https" else _Guarded
        pool.ConnectionCls = partial(kind, guard=self._guard)  # type: ignore[assignment]
        return pool


class _Adapter(HTTPAdapter):
    """Connects with TLS 1.2 or later, and leaves every retry to the schedule."""

    def __init__(self, guard: Guard, connections: int) -> None:
        self._guard = guard
        super().__init__(pool_connections=connections, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        self.poolmanager = _Pools(
            self._guard,
            num_pools=connections,
            maxsize=maxsize,
            block=block,
            ssl_context=tls_context(),
            **pool_kwargs,
        )


class _Session(requests.Session):
    """Sees no redirects.

    Even told not to follow them, requests reads such an answer's whole body, unpacks it, and parses where it
    leads: a receiver could fill the memory with it.
    """

    def get_redirect_target(self, _resp: requests.Response) -> None:
        return None


def session_of(guard: Guard, connections: int) -> requests.Session:
    """Make a session whose connections the guard watches, which keeps and takes nothing but these."""
    session = _Session()
    session.trust_env = False  # no proxy, .netrc or certificate setting gets in by a side door
    session.headers["User-Agent"] = "cohort-relay"
    session.cookies = RequestsCookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter(guard, connections))
    return session


def _is_among(error: BaseException, kind: type[BaseException]) -> bool:
    """Say whether an error of a kind is wrapped in this one."""
    seen: list[Any] = [error]
    while seen:
        one = seen.pop()
        if isinstance(one, kind):
            return True
        if isinstance(one, BaseException):
            seen += [*one.args, getattr(one, "reason", None)]
    return False
