"""Deliver one page: try, judge the answer, try again while that makes sense."""

import threading
from collections.abc import Callable

from app.sandbox.clock import Clock
from app.sandbox.config import SenderConfig
from app.sandbox.faults import Faults
from app.sandbox.journal import Journal
from app.sandbox.sender.plan import Page
from app.sandbox.sender.replies import Meaning, Verdict, judge
from app.sandbox.sender.transport import Transport, UnansweredError


class SyncFailedError(Exception):
    """The sync ends here and starts over at its next turn; the snapshot stays."""


class SyncPausedError(Exception):
    """The webhook answered what only a person can put right; the message is its own."""


def backoff_s(retry: int, retries: int, span_s: float) -> float:
    """Return the pause before a retry (from 0): each twice the one before, all together `span_s`."""
    return span_s * 2.0**retry / (2.0**retries - 1)


class Delivery:
    """Brings pages to the webhook."""

    def __init__(
        self,
        *,
        transport: Transport,
        sender: Callable[[], SenderConfig],
        faults: Faults,
        journal: Journal,
        clock: Clock,
        stop: threading.Event,
    ) -> None:
        self._transport = transport
        self._sender = sender
        self._faults = faults
        self._journal = journal
        self._clock = clock
        self._stop = stop

    def listening(self) -> bool:
        """Tell whether anything accepts connections at the webhook's address."""
        return self._transport.listening()

    def deliver(self, page: Page, body: bytes, cohort_id: int) -> None:
        """Send a page until it is accepted.

        Raises:
            SyncFailedError: It was not, and further tries are no use.
            SyncPausedError: The webhook answered 400, 401, 403 or 404.
        """
        sender = self._sender()
        for retry in range(sender.retries + 1):
            verdict = self._attempt(page, body, cohort_id, retry)
            if verdict.meaning is Meaning.SUCCESS:
                return
            if verdict.meaning is Meaning.PAUSE:
                raise SyncPausedError(verdict.reason)
            if verdict.meaning is Meaning.FAIL or retry == sender.retries:
                break
            if self._clock.wait(backoff_s(retry, sender.retries, sender.retry_span_s), self._stop):
                raise SyncFailedError("the sandbox ends")
        raise SyncFailedError(verdict.reason)

    def copy(self, page: Page, body: bytes, cohort_id: int) -> None:
        """Send a page once more and care for no answer."""
        self._attempt(page, body, cohort_id, 0)

    def _attempt(self, page: Page, body: bytes, cohort_id: int, retry: int) -> Verdict:
        status = 0
        try:
            reply = self._transport.post(body)
            status, verdict = reply.status, judge(reply, page.action)
        except UnansweredError as err:
            verdict = Verdict(Meaning.RETRY, str(err))
        fault = self._faults.draw("sender", "drop_answer")
        if fault is not None:
            verdict = Verdict(Meaning.RETRY, "time-out (injected)")
        self._note(page, cohort_id, retry, status, verdict)
        return verdict

    def _note(self, page: Page, cohort_id: int, retry: int, status: int, verdict: Verdict) -> None:
        entry = {
            "direction": "out",
            "at_ms": int(self._clock.now_s() * 1000),
            "cohort_id": cohort_id,
            "action": page.action,
            "session_id": page.session_id,
            "page": page.number,
            "total_pages": page.total,
            "members": len(page.distinct_ids),
            "retry": retry,
            "status": status,
            "meaning": verdict.meaning.value,
            "reason": verdict.reason,
        }
        self._journal.add(entry, webhook_requests=1, **{f"webhook_{verdict.meaning.value}": 1})
