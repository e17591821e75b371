"""Undo a Content-Encoding without ever holding more than the limit: a small body may unpack to gigabytes."""

import zlib
from typing import Final

GZIP: Final = frozenset({"gzip", "x-gzip"})
PLAIN: Final = frozenset({"", "identity"})
_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS  # zlib's way to say: with gzip's header and checksum


class TooLarge(Exception):  # noqa: N818 - named for the answer (413)
    """The body is over the limit, as sent or unpacked."""


class BadEncoding(Exception):  # noqa: N818 - named for the answer (400)
    """The body is not what its Content-Encoding says, or that encoding is not supported."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def unpack(body: bytes, encoding: str, limit_bytes: int) -> bytes:
    """Return the body without its Content-Encoding.

    Raises:
        TooLarge: it unpacks to more than `limit_bytes`. BadEncoding: it cannot be unpacked. Answered with
        400, not 415: it is as permanent, and 400 is a status that
            Mixpanel documents, with the message shown to a person.
    """
    name = encoding.strip().lower()
    if name in PLAIN:
        return body
    if name not in GZIP:
        raise BadEncoding("Content-Encoding is not supported: use gzip or none.")
    try:
        return _gunzip(body, limit_bytes)
    except zlib.error as err:
        raise BadEncoding("Content-Encoding is gzip but the body is broken or is no gzip.") from err


def _gunzip(body: bytes, limit_bytes: int) -> bytes:
    """Unpack all members of a gzip file; RFC 1952 lets it have several, and zeros behind the last."""
    parts: list[bytes] = []
    room = limit_bytes
    while True:
        unpacker = zlib.decompressobj(_GZIP_WINDOW)
        part = unpacker.decompress(body, room + 1)
        room -= len(part)
        if room < 0:
            raise TooLarge
        if not unpacker.eof:
            raise zlib.error("cut short")
        parts.append(part)
        body = unpacker.unused_data.lstrip(b"\0")
        if not body:
            return b"".join(parts)
