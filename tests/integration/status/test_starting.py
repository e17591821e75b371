"""Every process refuses to start over state of another version, and starts while Redis is away."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from app import app_from_environment
from app.store import keys
from tests.guard import ROOT
from tests.integration.cli.relay import environment

SENTENCE = "holds state of version 9, and this cohort-relay works with version 1: run the cohort-relay that"


@pytest.fixture(autouse=True)
def of_a_later_version(redis_client: Redis) -> None:
    redis_client.set(keys.state_format(), "9")


@pytest.mark.parametrize("module", [("workers.worker", "apply"), ("workers.clock",)])
def test_workers_and_clock_end_with_what_is_wrong(module: tuple[str, ...], redis_url: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", *module],
        cwd=ROOT,
        env={**os.environ, **environment(redis_url), "PROJECTS_FILE": ""},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 4
    assert SENTENCE in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_web_application_ends_as_gunicorn_understands(
    redis_client: Redis,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    redis_client.set(keys.state_format(), "9")
    monkeypatch.chdir(tmp_path)
    for name, value in environment(redis_url).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        app_from_environment()
    assert ended.value.code == 3
    assert SENTENCE in capsys.readouterr().err
