"""Who may call the legacy Data API v2: whoever signs with the project's secret. Pure.

`sig` is the md5 of all parameters but `sig` and `callback`, as `name=value`, sorted and put together, and the
secret after them. Each mistake has its own message.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from app.sandbox.api.desk.asked import MistakeError

UNSIGNED = {"sig", "callback"}


def check(given: Mapping[str, Sequence[str]], api_key: str, secret: str, now_s: float) -> None:
    """Refuse a request that is not signed as it must be."""
    for name in ("api_key", "expire", "sig"):
        if not given.get(name):
            raise MistakeError(f"Missing required parameter: {name}")
    if not hmac.compare_digest(given["api_key"][0].encode(), api_key.encode()):
        raise MistakeError("Invalid API key")
    if not (given["expire"][0].isascii() and given["expire"][0].isdigit()):
        raise MistakeError("Invalid parameter: expire")
    if not hmac.compare_digest(given["sig"][0].encode(), signature(given, secret).encode()):
        raise MistakeError("Invalid request signature")
    if int(given["expire"][0]) < now_s:
        raise MistakeError("Expired request")


def signature(given: Mapping[str, Sequence[str]], secret: str) -> str:
    """Return what a request's `sig` must be."""
    pairs = sorted(f"{name}={values[0]}" for name, values in given.items() if name not in UNSIGNED)
    return hashlib.md5("".join((*pairs, secret)).encode(), usedforsecurity=False).hexdigest()
