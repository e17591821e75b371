"""The API for services, below `/api/v1`: bearer tokens, problem details (RFC 9457), OpenAPI."""

from typing import Final

PREFIX: Final = "/api/v1"
