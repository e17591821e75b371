"""An idle worker notices soon that its queue's Redis takes no writes, and leaves RQ's loop."""

import os
import signal
import time
from collections.abc import Iterator
from threading import Event, Timer

import pytest
from redis.exceptions import OutOfMemoryError
from rq.serializers import JSONSerializer

from app.store.connection import connect
from tests.conftest import StartRedis
from workers.queue_worker import QueueWorker

SOON_S = 10.0


@pytest.fixture
def signals() -> Iterator[None]:
    """Put back the signal handlers that RQ replaces."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_an_idle_worker_leaves_a_full_redis(start_redis: StartRedis) -> None:
    server = start_redis()
    worker = QueueWorker(["apply"], Event(), connection=connect(server.url), serializer=JSONSerializer)
    with server.client() as client:
        full = Timer(0.5, lambda: client.config_set("maxmemory", 1))
        give_up = Timer(SOON_S, lambda: os.kill(os.getpid(), signal.SIGTERM))
        began_s = time.monotonic()
        full.start()
        give_up.start()
        with pytest.raises(OutOfMemoryError):  # as it signs off
            worker.work(logging_level="CRITICAL")
        give_up.cancel()
    assert time.monotonic() - began_s < SOON_S
