"""Post a page to the webhook over HTTP."""

import socket
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import requests

PROBE_S = 1.0


@dataclass(frozen=True)
class Reply:
    """What the webhook answered."""

    status: int
    body: bytes


class UnansweredError(Exception):
    """No answer came: time-out, refused or broken connection. The page may have arrived."""


class Transport(Protocol):
    """How pages leave the sandbox."""

    def post(self, body: bytes) -> Reply:
        """Send a page.

        Raises:
            UnansweredError: No answer came.
        """
        ...

    def listening(self) -> bool:
        """Tell whether anything accepts connections at the webhook's address."""
        ...


class HttpTransport:
    """Posts to one URL, with Basic auth if there is a username."""

    def __init__(self, url: str, username: str, password: str, timeout_s: float) -> None:
        self._url = url
        self._auth = (username, password) if username else None
        self._timeout_s = timeout_s

    def post(self, body: bytes) -> Reply:
        """Send a page; redirects are not followed.

        Raises:
            UnansweredError: No answer came.
        """
        try:
            response = requests.post(
                self._url,
                data=body,
                auth=self._auth,
                headers={"Content-Type": "application/json"},
                timeout=self._timeout_s,
                allow_redirects=False,
            )
        except requests.Timeout as err:
            raise UnansweredError("time-out") from err
        except requests.RequestException as err:
            raise UnansweredError(f"no connection ({type(err).__name__})") from err
        return Reply(response.status_code, response.content)

    def listening(self) -> bool:
        """Tell whether anything accepts connections at the webhook's address."""
        parts = urlsplit(self._url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            with socket.create_connection((parts.hostname or "", port), timeout=PROBE_S):
                return True
        except OSError:
            return False
