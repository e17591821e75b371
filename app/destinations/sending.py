"""Send the rounds of a plan, several requests at a time, and note what became of each batch."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import Context, copy_context
from functools import cached_property, partial
from threading import Event
from typing import Final

from structlog.contextvars import bind_contextvars

from app.destinations.batch import Batch, once, refusal_mark, repeatable, turns
from app.destinations.cursor import Cursor
from app.destinations.dead_letters import DeadLetter
from app.destinations.plan import Plan, Round
from app.lanes.lanes import HeldLane
from app.mixpanel.batches import BatchSender
from app.mixpanel.errors import CredentialRefused, MixpanelError, Rejected, Retryable, Throttled
from app.mixpanel.results import Delivered, Progress, RecordFailure
from config.projects import Project

_KEEP_S: Final = 1.0
_MARGIN_S: Final = (
    5.0  # a request begins that much after the lease was renewed, at the most: Redis's time-out
)
_UNKNOWN = "the request was sent and its outcome is unknown; sending it again could count twice"


def always() -> bool:
    """Say that there is time for more."""
    return True


class SendingStopped(Exception):  # noqa: N818 - not an error: the run that wanted the request has ended
    """No further request of this batch is wanted."""


class RoundSender:
    """Send rounds within a project's number of connections.

    Args:
        batches: delivers one batch.
        cursor: where it is noted.
        connections: most requests at a time.
        timeout_s: the longest that a request takes, which a runner who takes the lane over waits out.
    """

    def __init__(self, batches: BatchSender, cursor: Cursor, *, connections: int, timeout_s: float) -> None:
        self._batches = batches
        self._cursor = cursor
        self._connections = connections
        self._timeout_s = timeout_s

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        """The threads of this process; made at first use, which is after a worker forked."""
        return ThreadPoolExecutor(self._connections, thread_name_prefix="mixpanel")

    def send(
        self,
        lane: HeldLane,
        project: Project,
        plan: Plan,
        *,
        again: bool,
        go_on: Callable[[], bool] = always,
    ) -> bool:
        """Send a plan, round after round; what was settled by an earlier try is left out.

        A round that was finished is left out whole, even if its batches would be cut differently now: what it
        takes away must not follow what a later round gave.

        Args:
            lane: the lane that is held.
            project: whose records they are.
            plan: what to send.
            again: whether the window was begun before.
            go_on: says, after anything was sent, whether there is time for more.

        Returns:
            Whether all of it is settled; if not, the next try goes on from here.

        Raises:
            MixpanelError: what ended it; everything that was settled by then is noted.
            LaneLost: the lane is no longer ours.
        """
        if plan.given_up:
            self._cursor.settle_batch(lane, "u", 0, plan.given_up)
        ends = [f"r{number}" for number in range(len(plan.rounds))]
        done = self._cursor.settled(lane, ends) if again else [False] * len(ends)
        in_time = True
        for round_, end, is_done in zip(plan.rounds, ends, done, strict=True):
            if is_done or not (round_.records or round_.once):
                continue
            for batches in turns(self._batches_of(lane, project, round_, again=again)):
                if not in_time:
                    return False
                self._send_round(lane, project, batches)
                in_time = go_on()
            self._cursor.settle_batch(lane, end, 0, [])
        return True

    def close(self) -> None:
        """End the threads, once what they do is done."""
        if "_pool" in self.__dict__:
            self._pool.shutdown()

    def _batches_of(self, lane: HeldLane, project: Project, round_: Round, *, again: bool) -> list[Batch]:
        split = partial(self._batches.split, project.id)
        batches = list(repeatable(round_, split))
        updates = round_.once
        if again:
            settled = self._cursor.settled(lane, [batch.digest for batch in batches])
            batches = [batch for batch, done in zip(batches, settled, strict=True) if not done]
            batches = [rest for batch in batches if (rest := self._never_refused(lane, batch)).records]
            updates = self._never_sent(lane, updates)
        return [*batches, *once(updates, split)]

    def _never_refused(self, lane: HeldLane, batch: Batch) -> Batch:
        """Leave out what an earlier try has in its dead letters: it may have cut its batches differently."""
        return batch.without(self._cursor.settled(lane, [refusal_mark(record) for record in batch.records]))

    def _never_sent(self, lane: HeldLane, updates: list[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
        """Leave out what an earlier try settled, and give up what it began to send and then fell silent."""
        settled = self._cursor.settled(lane, ["s" + mark for mark, _ in updates])
        open_ = [update for update, done in zip(updates, settled, strict=True) if not done]
        begun = self._cursor.settled(lane, ["i" + mark for mark, _ in open_])
        unknown = [update for update, sent in zip(open_, begun, strict=True) if sent]
        letters = [
            ("s" + mark, DeadLetter("outcome_unknown", _UNKNOWN, "", record)) for mark, record in unknown
        ]
        self._cursor.settle_each(lane, letters)
        return [update for update, sent in zip(open_, begun, strict=True) if not sent]

    def _send_round(self, lane: HeldLane, project: Project, batches: Sequence[Batch]) -> None:
        """Send all batches, or as many as go before the first failure; wait for those under way."""
        waiting = iter(batches)
        flying: dict[Future[Delivered], Batch] = {}
        failures: list[MixpanelError] = []
        stop = Event()
        try:
            while True:
                if not failures:
                    self._take_off(lane, project, waiting, flying, stop)
                if not flying:
                    break
                landed, _ = wait(flying, timeout=_KEEP_S, return_when=FIRST_COMPLETED)
                lane.keep()
                for future in landed:
                    failures += self._note(lane, flying.pop(future), future)
        finally:
            stop.set()
            wait(flying)
        if failures:
            raise max(failures, key=_gravity)

    def _take_off(
        self,
        lane: HeldLane,
        project: Project,
        waiting: Iterator[Batch],
        flying: dict[Future[Delivered], Batch],
        stop: Event,
    ) -> None:
        """Begin as many requests as there are connections."""

        def before_request() -> None:
            if stop.is_set():
                raise SendingStopped
            lane.renew(self._timeout_s + _MARGIN_S)

        while len(flying) < self._connections and (batch := next(waiting, None)):
            self._cursor.intend(lane, batch.intents)
            future = self._pool.submit(
                self._about(batch).run,
                self._batches.deliver,
                project,
                batch.records,
                repeatable=not batch.marks,
                before_request=before_request,
            )
            flying[future] = batch

    def _about(self, batch: Batch) -> Context:
        """Let what a request's thread logs say what this run does, and with which batch."""
        context = copy_context()
        context.run(bind_contextvars, batch=batch.digest)
        return context

    def _note(self, lane: HeldLane, batch: Batch, future: Future[Delivered]) -> list[MixpanelError]:
        """Note what became of a batch; return the error that ended it, if one did."""
        try:
            delivered = future.result()
        except MixpanelError as error:
            if batch.marks:
                self._note_broken_off(lane, batch, error)
            return [error]
        if batch.marks:
            self._settle_once(lane, batch, range(len(batch.records)), delivered.refused)
        else:
            letters = [batch.letter(failure) for failure in delivered.refused]
            refused = [refusal_mark(batch.records[failure.index]) for failure in delivered.refused]
            self._cursor.settle_batch(lane, batch.digest, delivered.accepted, letters, refused)
        return []

    def _note_broken_off(self, lane: HeldLane, batch: Batch, error: MixpanelError) -> None:
        """Settle what was sent of updates that must not be sent twice, and take the others' intent back."""
        everything = frozenset(range(len(batch.records)))
        progress = error.progress or Progress(in_flight=everything)
        unknown = isinstance(error, Retryable) and error.outcome_unknown
        lost = [
            RecordFailure(index, _UNKNOWN, str(error), outcome_unknown=True)
            for index in (progress.in_flight if unknown else ())
        ]
        failures = {failure.index: failure for failure in (*progress.refused, *lost)}
        settled = progress.accepted | failures.keys()
        self._settle_once(lane, batch, sorted(settled), tuple(failures.values()))
        self._cursor.take_back(lane, ["i" + batch.marks[index] for index in sorted(everything - settled)])

    def _settle_once(
        self, lane: HeldLane, batch: Batch, indices: Sequence[int], failures: Sequence[RecordFailure]
    ) -> None:
        letters = {failure.index: batch.letter(failure) for failure in failures}
        self._cursor.settle_each(lane, [("s" + batch.marks[index], letters.get(index)) for index in indices])


def _gravity(error: MixpanelError) -> float:
    """Put what only a person can mend before what waits, and the longest wait before shorter ones."""
    if isinstance(error, CredentialRefused | Rejected):
        return float("inf")
    return error.retry_after_s if isinstance(error, Retryable | Throttled) else 0.0
