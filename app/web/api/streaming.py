"""Answer with one JSON object a line, as they are read: never all of them in memory."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any, Final

import orjson
from flask import Request, Response
from redis import RedisError
from structlog.stdlib import get_logger

from app.store.faults import redis_word
from app.web.api.bodies import JSON, NDJSON

_LINES_AT_ONCE: Final = 500


def wants_lines(request: Request) -> bool:
    """Say whether the caller asks for NDJSON; JSON is what comes without a wish."""
    return request.accept_mimetypes.best_match([JSON, NDJSON], default=JSON) == NDJSON


def streamed(objects: Iterable[dict[str, Any]], headers: Mapping[str, str]) -> Response:
    """Return an answer of a line an object, with headers of its own.

    Raises:
        RedisError: the first ones cannot be read. Later, the connection is cut, so that the caller notices.
    """
    blocks = _blocks(iter(objects))
    first = next(blocks, b"")
    answer = Response(_told(chain([first], blocks)), mimetype=NDJSON)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Vary"] = "Accept"
    answer.headers.extend(headers)
    return answer


def _blocks(objects: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    while some := list(islice(objects, _LINES_AT_ONCE)):
        yield b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in some)


def _told(blocks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from blocks
    except RedisError as error:
        get_logger().error("export_broken_off", error=type(error).__name__, redis=redis_word(error))
        raise
