"""Read a request's body, as sent and unpacked, within a limit."""

from typing import IO, Final

from flask import Request
from werkzeug.wsgi import get_input_stream

from app.web.unpacking import TooLarge, unpack

CHUNK_BYTES: Final = 64 * 1024


class Incomplete(Exception):  # noqa: N818 - named for the answer (503)
    """The connection ended, or its framing broke, before the body did: a fault on the way."""


def read_body(request: Request, limit_bytes: int) -> bytes:
    """Read and unpack the body, of somebody whose credential was checked.

    Raises:
        TooLarge: over the limit, by its Content-Length, by what arrived, or unpacked.
        BadEncoding: it is not what its Content-Encoding says.
        Incomplete: not all of it arrived.
    """
    return unpack_body(request, receive_body(request, limit_bytes), limit_bytes)


def unpack_body(request: Request, sent: bytes, limit_bytes: int) -> bytes:
    """Undo the Content-Encoding of what was received.

    Raises:
        TooLarge: over the limit. BadEncoding: it is not what the header says.
    """
    return unpack(sent, request.headers.get("Content-Encoding", ""), limit_bytes)


def discard(request: Request, most_bytes: int) -> None:
    """Take the body, up to a size, and forget it.

    Raises:
        Incomplete: not all of it arrived.
    """
    _take(get_input_stream(request.environ), most_bytes)


def receive_body(request: Request, limit_bytes: int) -> bytes:
    """Read the body as it was sent. Nothing is unpacked: that is work, which only who may send can cause.

    Raises:
        TooLarge: over the limit, by its Content-Length or by what arrived.
        Incomplete: not all of it arrived.
    """
    # Not `request.stream`: it raises its own 413 and 400 before we could say anything in Mixpanel's shape.
    stream = get_input_stream(request.environ)
    if (request.content_length or 0) > limit_bytes:
        _take(
            stream, limit_bytes
        )  # a sender still sending would see a broken connection instead of our answer
        raise TooLarge
    body = _take(stream, limit_bytes + 1, keep=True)
    if len(body) > limit_bytes:
        raise TooLarge
    # gunicorn's streams just end when the connection does, and Werkzeug then trusts them. Half a page is no
    # JSON: without this, a broken connection would be a 400, which pauses the sync.
    if len(body) < (request.content_length or 0):
        raise Incomplete
    return body


def _take(stream: IO[bytes], most_bytes: int, *, keep: bool = False) -> bytes:
    """Read up to `most_bytes`; give them back only when they are kept."""
    parts: list[bytes] = []
    left = most_bytes
    while left > 0:
        try:
            part = stream.read(min(CHUNK_BYTES, left))
        except Exception as err:  # each server has errors of its own for a socket or a chunk that broke
            raise Incomplete from err
        if not part:
            break
        left -= len(part)
        if keep:
            parts.append(part)
    return b"".join(parts)
