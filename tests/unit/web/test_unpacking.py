"""Undoing gzip within a limit."""

import gzip
import time
import tracemalloc
import zlib

import pytest

from app.web.unpacking import MOST_MEMBERS, PIECE_BYTES, BadEncoding, TooLarge, unpack

TEXT = b'{"action": "members"}' * 100


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_a_plain_body_stays_as_it_is(encoding: str) -> None:
    assert unpack(TEXT, encoding, 10) == TEXT


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP "])
def test_gzip_is_unpacked(encoding: str) -> None:
    assert unpack(gzip.compress(TEXT), encoding, len(TEXT)) == TEXT


def test_a_gzip_of_several_members_with_padding_is_unpacked_whole() -> None:
    assert unpack(gzip.compress(TEXT) + gzip.compress(b"end") + b"\0\0", "gzip", 10_000) == TEXT + b"end"


PACKED = gzip.compress(TEXT, mtime=0)  # without a time, so that every test process has the same bytes
BROKEN = {
    "empty": b"",
    "plain": TEXT,
    "cut at the end": PACKED[:-1],
    "cut in the middle": PACKED[:20],
    "wrong checksum": PACKED[:-8] + b"\0" * 8,
    "followed by something": PACKED + b"rest",
    "zlib": zlib.compress(TEXT),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_gzip_is_told(body: bytes) -> None:
    with pytest.raises(BadEncoding, match="Content-Encoding"):
        unpack(body, "gzip", 10_000)


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "gzip, gzip", "nonsense"])
def test_another_encoding_is_told(encoding: str) -> None:
    with pytest.raises(BadEncoding, match="Content-Encoding") as caught:
        unpack(TEXT, encoding, 10_000)
    assert caught.value.message == str(caught.value)


def test_the_limit_is_exact() -> None:
    assert unpack(gzip.compress(TEXT), "gzip", len(TEXT)) == TEXT
    with pytest.raises(TooLarge):
        unpack(gzip.compress(TEXT), "gzip", len(TEXT) - 1)
    with pytest.raises(TooLarge):
        unpack(gzip.compress(TEXT) + gzip.compress(b"x"), "gzip", len(TEXT))


def test_members_beyond_a_piece_are_unpacked_whole_wherever_the_pieces_are_cut() -> None:
    texts = [str(number).encode() * 997 for number in range(40)]
    packed = b"".join(gzip.compress(text, 0) + b"\0" * 3000 for text in texts)
    assert len(packed) > 2 * PIECE_BYTES
    assert unpack(packed, "gzip", 1_000_000) == b"".join(texts)


@pytest.mark.parametrize("member", [gzip.compress(b"", mtime=0), gzip.compress(b"x", mtime=0)])
def test_a_body_of_countless_members_is_refused_at_once(member: bytes) -> None:
    began_s = time.process_time()
    with pytest.raises(BadEncoding, match="1000 gzip members"):
        unpack(member * 200_000, "gzip", 10_000_000)
    assert time.process_time() - began_s < 1


def test_as_many_members_as_are_allowed_are_unpacked() -> None:
    assert unpack(gzip.compress(b"x") * MOST_MEMBERS, "gzip", 10_000) == b"x" * MOST_MEMBERS


def test_a_bomb_never_takes_more_memory_than_the_limit_and_some() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    tracemalloc.start()
    with pytest.raises(TooLarge):
        unpack(bomb, "gzip", 100_000)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 1_000_000
