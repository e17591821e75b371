from collections.abc import Iterator
from pathlib import Path

import pytest

from .relay import Relay, environment


@pytest.fixture
def relay(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    monkeypatch.chdir(tmp_path)  # no projects file lies there
    made = Relay(environment(redis_url))
    yield made
    made.close()
