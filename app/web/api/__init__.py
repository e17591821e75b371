"""The API for services, below `/api/v1`: bearer tokens, problem details (RFC 9457), OpenAPI."""

from typing import Final

PREFIX: Final = "/api/v1"


def is_of_api(path: str) -> bool:
    """Say whether an address is one of an API's, of whatever version."""
    return path == "/api" or path.startswith("/api/")
