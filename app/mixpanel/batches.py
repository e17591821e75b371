"""Cut records into batches, and deliver a batch until every record of it is accepted or refused.

A batch that is refused whole, without a word about which record is at fault, is halved until the culprits
stand alone. For k bad records of n that takes at most 2k log2(n/k) + 2k - 1 requests. (Where n is no
power of two the plain tree of halves takes some more; but when the first half turns out clean the second
must hold the fault, so it is halved at once instead of being sent whole.) A record is only ever refused
on its own answer: what was concluded about a half never condemns one record.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from app.mixpanel.budget import IngestionBudget
from app.mixpanel.errors import MixpanelError, TooLarge
from app.mixpanel.ingestion import array_bytes
from app.mixpanel.results import BatchResult, Delivered, Progress, RecordFailure
from app.mixpanel.size_limit import SizeLimits
from config.projects import Project

MAX_RECORDS = 2_000
MAX_REQUESTS = 500

Endpoint = Callable[[Project, Sequence[bytes]], BatchResult]
"""Makes one request to one of Mixpanel's endpoints, such as `Ingestion.update_profiles`."""
Send = Callable[[Sequence[bytes]], BatchResult]
Learn = Callable[[TooLarge, int], int]


def split(records: Sequence[bytes], max_bytes: int, max_records: int = MAX_RECORDS) -> Iterator[range]:
    """Cut encoded records into batches, in order.

    Args:
        records: Encoded JSON objects.
        max_bytes: Most bytes of a batch's JSON array. A record that is larger alone gets a batch of its own.
        max_records: Most records of a batch.

    Yields:
        The indices of one batch.
    """
    start, size = 0, 2
    for index, record in enumerate(records):
        if index > start and (index - start == max_records or size + len(record) > max_bytes):
            yield range(start, index)
            start, size = index, 2
        size += len(record) + 1
    if start < len(records):
        yield range(start, len(records))


class BatchSender:
    """Deliver batches of records to one endpoint, within the project's budget and size limit.

    Args:
        endpoint: Makes the requests.
        budget: The project's rolling minute.
        limits: The projects' size limits.
        max_requests: Most requests for one batch; what is not settled by then is refused as one.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        budget: IngestionBudget,
        limits: SizeLimits,
        max_requests: int = MAX_REQUESTS,
    ) -> None:
        self._endpoint = endpoint
        self._budget = budget
        self._limits = limits
        self._max_requests = max_requests

    def split(self, project_id: str, records: Sequence[bytes]) -> list[range]:
        """Cut records into batches that the project accepts, as far as its size limit is known."""
        return list(split(records, self._limits.get(project_id)))

    def deliver(
        self,
        project: Project,
        records: Sequence[bytes],
        *,
        repeatable: bool = True,
        before_request: Callable[[], None] = lambda: None,
    ) -> Delivered:
        """Send one batch, in as many requests as it takes, until each of its records is settled.

        Records of one profile keep their order: a half is finished before the next begins.

        Args:
            project: Whose records they are.
            records: One batch, as `split` cut it.
            repeatable: False when no record may be applied twice (`$add`, `$append`): where an answer says
                that some of the records were accepted but not which, the doubtful ones are then refused as
                `outcome_unknown` instead of being sent again.
            before_request: Called before each request: the place to renew a lease. What it raises passes.

        Raises:
            MixpanelError: What ended it: `Retryable`, `Throttled` (Mixpanel's or our own budget's),
                `Rejected`, `CredentialRefused`. Its `progress` says what was settled before.
        """

        def send(batch: Sequence[bytes]) -> BatchResult:
            before_request()
            self._budget.take(project.id, len(batch), array_bytes(batch))
            return self._endpoint(project, batch)

        def learn(error: TooLarge, size_bytes: int) -> int:
            return self._limits.learn(project.id, size_bytes, error.limit_bytes)

        return Delivery(records, send, learn, repeatable=repeatable, max_requests=self._max_requests).run()


class Delivery:
    """Bring one batch to its end: the search itself, apart from where requests go."""

    def __init__(
        self,
        records: Sequence[bytes],
        send: Send,
        learn: Learn,
        *,
        repeatable: bool = True,
        max_requests: int = MAX_REQUESTS,
    ) -> None:
        self._records = records
        self._send = send
        self._learn = learn
        self._repeatable = repeatable
        self._max_requests = max_requests
        self._requests = 0
        self._accepted: set[int] = set()
        self._refused: dict[int, RecordFailure] = {}
        self._unexplained = BatchResult(
            0
        )  # the last answer that refused without naming, for what the cap cuts off

    def run(self) -> Delivered:
        """Settle every record.

        Raises:
            MixpanelError: With its `progress` set.
        """
        self._settle(range(len(self._records)))
        return Delivered(len(self._accepted), self._all_refused(), self._requests)

    def _settle(self, part: Sequence[int], *, faulty: bool = False) -> bool:
        """Settle a part of the batch.

        Args:
            part: Indices, in order.
            faulty: The part is known to hold a fault: sending it whole would teach nothing.

        Returns:
            Whether it was accepted whole.
        """
        if not part:
            return True
        if faulty and len(part) > 1:
            self._halve(part)
            return False
        if self._requests >= self._max_requests:
            self._give_up(part)
            return False
        try:
            result = self._request(part)
        except TooLarge as error:
            return self._shrink(part, error)
        return self._take_in(part, result)

    def _request(self, part: Sequence[int]) -> BatchResult:
        self._requests += 1
        try:
            return self._send([self._records[index] for index in part])
        except TooLarge:
            raise
        except MixpanelError as error:
            error.progress = Progress(frozenset(self._accepted), self._all_refused(), frozenset(part))
            raise

    def _take_in(self, part: Sequence[int], result: BatchResult) -> bool:
        named = {part[failure.index] for failure in result.failures}
        for failure in result.failures:
            self._refuse(part[failure.index], failure)
        rest = [index for index in part if index not in named] if named else part
        if not result.unsettled:
            self._accepted.update(rest)
        elif result.accepted and not self._repeatable:
            self._refuse_all(rest, result.reason, result.response, outcome_unknown=True)
        elif len(part) == 1:
            self._refuse_all(rest, result.reason, result.response)
        else:
            self._unexplained = result
            self._halve(rest)
        return not named and not result.unsettled

    def _halve(self, part: Sequence[int]) -> None:
        middle = len(part) // 2
        clean = self._settle(part[:middle])
        self._settle(part[middle:], faulty=clean)

    def _shrink(self, part: Sequence[int], error: TooLarge) -> bool:
        """Send a part that was too large in pieces, down to one record."""
        if len(part) == 1:
            self._refuse_all(part, "the record alone is too large for a request (413)", "")
            return False
        records = [self._records[index] for index in part]
        pieces = list(split(records, self._learn(error, array_bytes(records))))
        if len(pieces) == 1:
            middle = len(part) // 2
            pieces = [range(middle), range(middle, len(part))]
        return all([self._settle([part[at] for at in piece]) for piece in pieces])  # noqa: C419 - no piece is skipped

    def _give_up(self, part: Sequence[int]) -> None:
        reason = f"{self._unexplained.reason} (with others; the search ended after {self._requests} requests)"
        self._refuse_all(part, reason, self._unexplained.response, isolated=False)

    def _refuse_all(
        self,
        part: Sequence[int],
        reason: str,
        response: str,
        *,
        isolated: bool = True,
        outcome_unknown: bool = False,
    ) -> None:
        for index in part:
            self._refuse(index, RecordFailure(0, reason, response, isolated, outcome_unknown))

    def _refuse(self, index: int, failure: RecordFailure) -> None:
        self._refused[index] = replace(failure, index=index)

    def _all_refused(self) -> tuple[RecordFailure, ...]:
        return tuple(self._refused[index] for index in sorted(self._refused))
