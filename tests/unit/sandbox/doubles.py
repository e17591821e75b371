"""A webhook that answers by script, and a clock that waits by moving."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from app.sandbox.clock import SandboxClock
from app.sandbox.sender.transport import Reply, UnansweredError

START_S = 1_790_000_000.0
Script = Callable[["Received"], Reply | None]


@dataclass(frozen=True)
class Received:
    """One page as it arrived."""

    action: str
    parameters: dict[str, Any]

    @property
    def ids(self) -> set[str]:
        return {member["mixpanel_distinct_id"] for member in self.parameters["members"]}

    @property
    def page(self) -> tuple[int, int]:
        info = self.parameters["page_info"]
        return info["page_count"], info["total_pages"]

    @property
    def session(self) -> str:
        return str(self.parameters["mixpanel_session_id"])


def success(received: Received) -> Reply:
    return Reply(200, orjson.dumps({"action": received.action, "status": "success"}))


def failure(status: int, message: str = "no") -> Reply:
    body = {"action": "members", "status": "failure", "error": {"message": message, "code": status}}
    return Reply(status, orjson.dumps(body))


class FakeWebhook:
    """Remembers pages; answers with `answers` while there are any (None: no answer), then success."""

    def __init__(self) -> None:
        self.pages: list[Received] = []
        self.answers: list[Reply | None] = []
        self.rule: Script | None = None
        self.up = True

    def post(self, body: bytes) -> Reply:
        decoded = orjson.loads(body)
        received = Received(decoded["action"], decoded["parameters"])
        self.pages.append(received)
        answer = self.answers.pop(0) if self.answers else success(received)
        if self.rule is not None:
            answer = self.rule(received)
        if answer is None:
            raise UnansweredError("time-out")
        return answer

    def listening(self) -> bool:
        return self.up

    def take(self) -> list[Received]:
        taken, self.pages = self.pages, []
        return taken


class MovedClock(SandboxClock):
    """Stands still; waiting moves it."""

    def __init__(self) -> None:
        super().__init__(real=lambda: START_S)
        self.waits: list[float] = []

    def wait(self, delay_s: float, stop: threading.Event) -> bool:
        self.waits.append(delay_s)
        self.advance(delay_s)
        return stop.is_set()


class SilentLog:
    """Keeps what was logged."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **fields: Any) -> None:
        self.lines.append((event, fields))

    warning = error = exception = info
