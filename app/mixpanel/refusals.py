"""What a status, or an exchange that failed, means: an error for each, in one place."""

import re
import ssl
from datetime import datetime
from typing import Any, Final

import requests
import urllib3

from app.mixpanel.errors import (
    CredentialRefused,
    MixpanelError,
    Rejected,
    Retryable,
    Said,
    Throttled,
    TooLarge,
)
from app.mixpanel.retry import retry_after_s

SAID_BYTES: Final = 4096
_LIMIT = re.compile(rb"limit\D{0,40}(\d{1,15})\s*bytes", re.IGNORECASE)


def refusal(status: int, body: bytes, retry_after: str | None, now: datetime) -> MixpanelError:
    """Say what a status outside 2xx means; the error keeps the beginning of what was said."""
    error = _of_status(status, body, retry_after, now)
    error.said = Said(body[:SAID_BYTES])
    return error


def _of_status(status: int, body: bytes, retry_after: str | None, now: datetime) -> MixpanelError:
    if status in (401, 403):
        return CredentialRefused(status, f"the credential was refused ({status})")
    if status == 413:  # noqa: PLR2004 - an HTTP status
        return TooLarge(_limit_bytes(body))
    wait_s = retry_after_s(retry_after, now)
    if status == 429:  # noqa: PLR2004 - an HTTP status
        return Throttled(wait_s)
    if status == 408 or status >= 500:  # noqa: PLR2004 - HTTP statuses
        return Retryable(f"the server answered {status}", status=status, retry_after_s=wait_s)
    return Rejected(status, f"the server answered {status}")


def _limit_bytes(body: bytes) -> int | None:
    found = _LIMIT.search(body)
    return (int(found[1]) or None) if found else None


def broken(err: requests.RequestException) -> MixpanelError:
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
