"""A run that cannot work starts nothing, and says what is wrong."""

import io
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from app.local.console import Console
from app.local.errors import LocalError
from app.local.run import Run
from app.store import keys
from tests.conftest import StartRedis

Begin = Callable[..., str]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    """Begin a run that ends with a sentence, and return that; nothing may have been started."""

    def begin(**given: str) -> str:
        environ = {"PATH": os.environ["PATH"], "PORT": free_port(), "SANDBOX_PORT": free_port(), **given}
        printed = io.StringIO()
        with pytest.raises(LocalError) as ended:
            Run(environ, tmp_path / "var", Console(printed, colour=False)).run()
        assert "runs" not in printed.getvalue()
        assert list((tmp_path / "var" / "log").iterdir()) == []
        return str(ended.value)

    return begin


def test_a_redis_that_does_not_answer(begin: Begin) -> None:
    url = f"redis://:hidden@127.0.0.1:{free_port()}/0"
    sentence = begin(REDIS_URL=url)
    assert sentence.endswith("(REDIS_URL) cannot be reached: start it, or correct the URL.")
    assert "hidden" not in sentence


def test_a_redis_that_asks_for_a_password(begin: Begin, start_redis: StartRedis) -> None:
    server = start_redis()
    with server.client() as plain:
        plain.config_set("requirepass", "hidden")
    assert "(REDIS_URL) asks for a password: put it into the URL" in begin(REDIS_URL=server.url)


def test_queues_that_do_not_answer(begin: Begin, redis_url: str) -> None:
    away = f"redis://127.0.0.1:{free_port()}/0"
    assert "(RQ_REDIS_URL) cannot be reached" in begin(REDIS_URL=redis_url, RQ_REDIS_URL=away)


def test_state_of_another_version(begin: Begin, redis_url: str, redis_client: Redis) -> None:
    redis_client.set(keys.state_format(), "9")
    assert "holds state of version 9, and this cohort-relay works with version 1" in begin(
        REDIS_URL=redis_url
    )
