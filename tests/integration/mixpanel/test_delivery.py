from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import orjson
import pytest
import redis

from app.mixpanel.batches import BatchSender
from app.mixpanel.budget import IngestionBudget
from app.mixpanel.errors import CredentialRefused, OverBudget, Rejected, Retryable, Throttled
from app.mixpanel.ingestion import Ingestion
from app.mixpanel.size_limit import SizeLimits
from app.mixpanel.transport import Transport
from config.projects import Project
from tests.integration.mixpanel.conftest import TOKEN
from tests.integration.mixpanel.server import Behaviour, Reply, Request, Server


@pytest.fixture
def sender(redis_client: redis.Redis, transport: Transport) -> BatchSender:
    return BatchSender(
        Ingestion(transport).update_profiles, IngestionBudget(redis_client), SizeLimits(redis_client)
    )


def records_of(count: int) -> list[bytes]:
    return [
        orjson.dumps({"$token": TOKEN, "$distinct_id": str(at), "$set": {"a": at}}) for at in range(count)
    ]


class Mixpanel:
    """Behave as the ingestion API does: bad records are named, or a batch with one is refused whole."""

    def __init__(self, bad: set[str], *, naming: bool = True, limit_bytes: int = 10**9) -> None:
        self.bad = bad
        self.naming = naming
        self.limit_bytes = limit_bytes
        self.accepted: list[str] = []

    def __call__(self, request: Request) -> Reply:
        if len(request.body) > self.limit_bytes:
            return Reply(413, b'{"error": "request exceeds max limit of %d bytes"}' % self.limit_bytes)
        if not request.body:  # the server asks before it reads, too
            return Reply()
        ids = [record["$distinct_id"] for record in request.records]
        failed = [{"index": at, "message": "refused"} for at, one in enumerate(ids) if one in self.bad]
        if failed and not self.naming:
            return self.json(200, {"status": 0, "error": f"invalid, token {TOKEN}"})
        self.accepted += [one for one in ids if one not in self.bad]
        if failed:
            return self.json(400, {"code": 400, "status": "Bad Request", "failed_records": failed})
        return self.json(200, {"code": 200, "status": "OK", "num_good_events": len(ids)})

    @staticmethod
    def json(status: int, body: Any) -> Reply:
        return Reply(status, orjson.dumps(body))


def test_a_good_batch_is_one_request_with_the_flags_that_make_answers_honest(
    sender: BatchSender, project: Project, server: Server
) -> None:
    server.behaviour = Mixpanel(set())
    delivered = sender.deliver(project, records_of(2_000))
    assert (delivered.accepted, delivered.refused, delivered.requests) == (2_000, (), 1)
    (request,) = server.requests
    assert request.path == "/engage"
    assert set(request.query.split("&")) == {"ip=0", "strict=1", "verbose=1"}
    assert request.headers["X-Mixpanel-Integration-ID"] == "my-company"
    assert request.headers["Content-Type"] == "application/json"
    assert "Content-Encoding" not in request.headers
    assert request.records == [orjson.loads(record) for record in records_of(2_000)]


def test_a_project_without_an_integration_names_none(
    sender: BatchSender, project: Project, server: Server
) -> None:
    sender.deliver(replace(project, integration_id=None), records_of(1))
    assert "X-Mixpanel-Integration-ID" not in server.requests[0].headers


def test_bad_records_beside_good_ones_are_refused_by_name(
    sender: BatchSender, project: Project, server: Server
) -> None:
    mixpanel = Mixpanel({"3", "1500"})
    server.behaviour = mixpanel
    delivered = sender.deliver(project, records_of(2_000))
    assert [(failure.index, failure.reason) for failure in delivered.refused] == [
        (3, "refused"),
        (1500, "refused"),
    ]
    assert len(mixpanel.accepted) == delivered.accepted == 1_998
    assert delivered.requests == 1


def test_a_batch_refused_whole_is_searched_until_the_culprits_stand_alone(
    sender: BatchSender, project: Project, server: Server
) -> None:
    mixpanel = Mixpanel({"3", "1500"}, naming=False)
    server.behaviour = mixpanel
    delivered = sender.deliver(project, records_of(2_000))
    assert [failure.index for failure in delivered.refused] == [3, 1500]
    assert all(TOKEN not in failure.reason + failure.response for failure in delivered.refused)
    assert sorted(mixpanel.accepted, key=int) == [str(at) for at in range(2_000) if at not in (3, 1500)]
    assert len(server.requests) == delivered.requests <= 43


def test_a_413_is_split_and_its_limit_holds_for_the_batches_after_it(
    sender: BatchSender, project: Project, server: Server
) -> None:
    mixpanel = Mixpanel(set(), limit_bytes=40_000)
    server.behaviour = mixpanel
    records = records_of(2_000)
    delivered = sender.deliver(project, records)
    assert mixpanel.accepted == [str(at) for at in range(2_000)]
    assert delivered.accepted == 2_000
    server.requests.clear()
    for batch in sender.split(project.id, records):
        sender.deliver(project, [records[index] for index in batch])
    assert len(server.requests) == delivered.requests - 1
    assert all(len(request.body) <= 40_000 for request in server.requests)


def test_a_record_too_large_alone_is_refused_and_the_others_arrive(
    sender: BatchSender, project: Project, server: Server
) -> None:
    mixpanel = Mixpanel(set(), limit_bytes=1_000)
    server.behaviour = mixpanel
    large = orjson.dumps({"$token": TOKEN, "$distinct_id": "large", "$set": {"a": "x" * 2_000}})
    delivered = sender.deliver(project, [*records_of(3), large, *records_of(2)])
    assert [(failure.index, "413" in failure.reason) for failure in delivered.refused] == [(3, True)]
    assert mixpanel.accepted == ["0", "1", "2", "0", "1"]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(401), CredentialRefused),
        (Reply(403), CredentialRefused),
        (Reply(404), Rejected),
        (Reply(429), Throttled),
        (Reply(503), Retryable),
        (Reply(200, b"<html>maintenance</html>"), Retryable),
        (Reply(200, b""), Retryable),
        (Reply(cut="before"), Retryable),
        (Reply(cut="body"), Retryable),
    ],
)
def test_what_concerns_the_whole_request_is_raised_after_one_try(
    sender: BatchSender, project: Project, server: Server, reply: Reply, error: type[Exception]
) -> None:
    server.behaviour = lambda _request: reply
    with pytest.raises(error) as caught:
        sender.deliver(project, records_of(10))
    assert len(server.requests) == 1
    assert TOKEN not in str(caught.value)


def test_an_error_in_the_middle_of_a_search_keeps_what_was_settled(
    sender: BatchSender, project: Project, server: Server
) -> None:
    mixpanel = Mixpanel({"0"}, naming=False)
    server.behaviour = failing_after(5, mixpanel)
    with pytest.raises(Retryable) as caught:
        sender.deliver(project, records_of(8))
    progress = caught.value.progress
    assert progress is not None
    assert progress.accepted == {int(one) for one in mixpanel.accepted} == {1}
    assert [failure.index for failure in progress.refused] == [0]
    assert progress.in_flight == {2, 3}


def failing_after(requests: int, behaviour: Behaviour) -> Behaviour:
    seen = 0

    def behave(request: Request) -> Reply:
        nonlocal seen
        if not request.body:
            return Reply()
        seen += 1
        return behaviour(request) if seen <= requests else Reply(503)

    return behave


def test_every_request_counts_against_the_budget_and_none_goes_out_without(
    redis_client: redis.Redis, transport: Transport, project: Project, server: Server
) -> None:
    server.behaviour = Mixpanel({"0"}, naming=False)
    budget = IngestionBudget(redis_client, max_records=14)
    sender = BatchSender(Ingestion(transport).update_profiles, budget, SizeLimits(redis_client))
    with pytest.raises(OverBudget) as caught:
        sender.deliver(project, records_of(8))
    assert [len(request.records) for request in server.requests] == [8, 4, 2]
    assert 59.0 < caught.value.retry_after_s <= 61.0


def test_what_is_called_before_each_request_can_stop_it(
    sender: BatchSender, project: Project, server: Server
) -> None:
    class Lost(Exception):  # noqa: N818 - an event
        pass

    def refuse() -> None:
        raise Lost

    with pytest.raises(Lost):
        sender.deliver(project, records_of(2), before_request=refuse)
    assert server.requests == []


def test_ten_threads_deliver_at_once(sender: BatchSender, project: Project, server: Server) -> None:
    mixpanel = Mixpanel({"7"})
    server.behaviour = mixpanel
    deliver: Callable[[int], int] = lambda _: sender.deliver(project, records_of(50)).accepted  # noqa: E731 - for map
    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(deliver, range(40))) == [49] * 40
    assert len(mixpanel.accepted) == 40 * 49
