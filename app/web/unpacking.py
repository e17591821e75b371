"""Undo a Content-Encoding without ever holding more than the limit: a small body may unpack to gigabytes."""

import zlib
from typing import Final

GZIP: Final = frozenset({"gzip", "x-gzip"})
PLAIN: Final = frozenset({"", "identity"})
PIECE_BYTES: Final = 64 * 1024
MOST_MEMBERS: Final = 1_000  # what block-wise writers (64 KiB each) need for a whole body, and some
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
    """Unpack all members of a gzip file; RFC 1952 lets it have several, and zeros behind the last.

    It is unpacked piece by piece: what is left behind a member is copied each time.
    """
    parts: list[bytes] = []
    room, members, unpacker = limit_bytes, 0, None
    for start in range(0, len(body), PIECE_BYTES):
        piece = body[start : start + PIECE_BYTES]
        while piece:
            if unpacker is None:
                piece = piece.lstrip(b"\0") if members else piece
                members += bool(piece)
                if members > MOST_MEMBERS:
                    raise BadEncoding(
                        f"Content-Encoding is gzip but the body has over {MOST_MEMBERS} gzip members."
                    )
                unpacker = zlib.decompressobj(_GZIP_WINDOW) if piece else None
            if unpacker is not None:
                parts.append(unpacker.decompress(piece, room + 1))
                room -= len(parts[-1])
                if room < 0:
                    raise TooLarge
                piece = unpacker.unused_data
                unpacker = None if unpacker.eof else unpacker
    if unpacker is not None or not members:
        raise zlib.error("cut short")
    return b"".join(parts)
