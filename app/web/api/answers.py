"""Answers in JSON."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response


def encoded(
    status: int, value: Any, headers: Mapping[str, str] | None = None, *, mimetype: str = "application/json"
) -> Response:
    """Return an answer that is never kept by a cache on the way."""
    answer = Response(orjson.dumps(value), status=status, mimetype=mimetype)
    answer.headers.extend(headers or {})
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer
