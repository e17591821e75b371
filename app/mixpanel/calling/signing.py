"""Signatures and errors of the legacy Data API v2.

A request carries the API key, when it expires, and the MD5 of its sorted parameters followed by the API
secret. That is what the interface asks for; it protects nothing by today's measure, TLS does.

Source: Mixpanel's documentation of the Data API v2 ("Authentication").
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

EXPIRES_S: Final = 600
_UNSIGNED: Final = frozenset({"sig", "callback"})

# What the answer's `error` begins with, and which problem that is.
ERRORS: Final[Mapping[str, str]] = {
    "invalid api key": "invalid_api_key",
    "invalid request signature": "invalid_signature",
    "expired request": "expired_request",
    "missing required parameter": "missing_parameter",
    "invalid parameter": "invalid_parameter",
    "invalid json format": "invalid_json",
    "invalid endpoint": "invalid_endpoint",
}


def signature(params: Iterable[tuple[str, str]], secret: str) -> str:
    """Sign the parameters of a request: 32 hexadecimal digits.

    Args:
        params: All of them, `api_key` and `expire` included; `sig` and `callback` do not count.
        secret: The project's API secret.
    """
    signed = "".join(f"{name}={value}" for name, value in sorted(params) if name not in _UNSIGNED)
    return hashlib.md5((signed + secret).encode(), usedforsecurity=False).hexdigest()


def signed(params: Iterable[tuple[str, str]], api_key: str, secret: str, now_s: int) -> list[tuple[str, str]]:
    """Give the parameters with key, expiry and signature.

    Args:
        params: The endpoint's own.
        api_key: The project's.
        secret: The project's API secret.
        now_s: Seconds since the epoch, UTC.
    """
    own = [pair for pair in params if pair[0] not in {"api_key", "expire", "sig"}]
    everything = [*own, ("api_key", api_key), ("expire", str(now_s + EXPIRES_S))]
    return [*everything, ("sig", signature(everything, secret))]


def problem_of(error: str) -> str | None:
    """Name the problem that an error text of the legacy API stands for; None where it is none of its own."""
    text = error.strip().lower()
    return next((code for begin, code in ERRORS.items() if text.startswith(begin)), None)
