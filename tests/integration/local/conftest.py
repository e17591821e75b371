"""A supervisor over small shell processes."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.local.child import Command
from app.local.supervisor import Supervisor

Shell = Callable[..., Command]


@pytest.fixture
def shell() -> Shell:
    """Make a command that runs a line of shell."""

    def command(name: str, line: str, *, stop_phase: int = 1, grace_s: float = 5.0) -> Command:
        return Command(name, ("/bin/sh", "-c", line), {"PATH": os.environ["PATH"]}, stop_phase, grace_s)

    return command


@pytest.fixture
def lines() -> list[tuple[str, bytes]]:
    """What the supervised processes wrote."""
    return []


@pytest.fixture
def supervisor(tmp_path: Path, lines: list[tuple[str, bytes]]) -> Iterator[Supervisor]:
    with Supervisor(tmp_path, tmp_path, lambda name, line: lines.append((name, line))) as started:
        yield started
