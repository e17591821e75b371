from collections.abc import Sequence
from functools import cache
from itertools import combinations, pairwise
from math import log2

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.mixpanel.batches import Delivery, split
from app.mixpanel.errors import CredentialRefused, MixpanelError, Retryable, TooLarge
from app.mixpanel.ingestion import array_bytes, json_array
from app.mixpanel.results import BatchResult, Delivered, RecordFailure


class Receiver:
    """A receiver that refuses the bad records of a batch in the way it is told to."""

    def __init__(self, bad: set[bytes], *, limit_bytes: int = 10**9, names_limit: bool = True) -> None:
        self.bad = bad
        self.limit_bytes = limit_bytes
        self.names_limit = names_limit
        self.requests: list[list[bytes]] = []
        self.accepted: list[bytes] = []

    def whole(self, batch: Sequence[bytes]) -> BatchResult:
        """Refuse all of a batch with a bad record, naming none."""
        self.note(batch)
        if self.bad.isdisjoint(batch):
            self.accepted += batch
            return BatchResult(len(batch))
        if len(batch) == 1:
            return BatchResult(0, (RecordFailure(0, "bad"),))
        return BatchResult(0, (), len(batch), "bad", "refused whole")

    def named(self, batch: Sequence[bytes]) -> BatchResult:
        """Refuse the bad records by name, accept the others."""
        self.note(batch)
        failures = tuple(RecordFailure(at, "bad") for at, record in enumerate(batch) if record in self.bad)
        good = [record for record in batch if record not in self.bad]
        self.accepted += good
        return BatchResult(len(good), failures)

    def muddled(self, batch: Sequence[bytes]) -> BatchResult:
        """Accept the good records, say how many, and name only the first of the bad ones."""
        named = self.named(batch)
        unsettled = max(len(named.failures) - 1, 0)
        return BatchResult(named.accepted, named.failures[:1], unsettled, "muddled") if unsettled else named

    def note(self, batch: Sequence[bytes]) -> None:
        size = array_bytes(batch)
        self.requests.append(list(batch))
        if size > self.limit_bytes:
            raise TooLarge(self.limit_bytes if self.names_limit else None)


def learn(error: TooLarge, size_bytes: int) -> int:
    return error.limit_bytes or size_bytes // 2


def records_of(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


def refused(delivered: Delivered) -> set[int]:
    return {failure.index for failure in delivered.refused}


poisoned = st.integers(1, 300).flatmap(
    lambda n: st.tuples(
        st.just(n), st.sets(st.integers(0, n - 1), max_size=12) | st.sets(st.integers(0, n - 1))
    )
)


@given(poisoned)
@example((2000, {0}))
@example((2000, {1999}))
@example((2000, {0, 999, 1000, 1999}))
@example((3, {2}))
@example((1, {0}))
def test_bad_records_are_found_in_the_stated_number_of_requests_and_no_good_one_is_lost(
    case: tuple[int, set[int]],
) -> None:
    n, bad = case
    records = records_of(n)
    receiver = Receiver({records[index] for index in bad})
    delivered = Delivery(records, receiver.whole, learn, max_requests=10**6).run()
    assert refused(delivered) == bad
    assert receiver.accepted == [record for index, record in enumerate(records) if index not in bad]
    assert delivered.accepted == n - len(bad)
    assert delivered.requests == len(receiver.requests)
    k = len(bad)
    assert delivered.requests <= (2 * k * log2(n / k) + 2 * k - 1 + 1e-9 if k else 1)
    assert all(
        failure.isolated and [records[failure.index]] in receiver.requests for failure in delivered.refused
    )


def test_every_choice_of_bad_records_in_small_batches_keeps_to_the_stated_number() -> None:
    for n in range(1, 10):
        records = records_of(n)
        for k in range(1, n + 1):
            for bad in combinations(range(n), k):
                receiver = Receiver({records[index] for index in bad})
                delivered = Delivery(records, receiver.whole, learn).run()
                assert refused(delivered) == set(bad)
                assert delivered.requests <= 2 * k * log2(n / k) + 2 * k - 1 + 1e-9, (n, bad)


def test_the_stated_number_holds_in_the_worst_case_of_every_size() -> None:
    # the search as a recurrence: most requests below a part of n records that is known to hold k bad ones
    @cache
    def below(n: int, k: int) -> int:
        if n == 1:
            return 0
        first, second = n // 2, n - n // 2
        worst = 0
        for bad in range(max(0, k - second), min(first, k) + 1):
            if bad == 0:
                requests = 1 + (1 if second == 1 else below(second, k))
            else:
                requests = 2 + below(first, bad) + (below(second, k - bad) if k > bad else 0)
            worst = max(worst, requests)
        return worst

    for n in [*range(1, 130), 255, 256, 257, 500, 1000, 1365, 1999, 2000]:
        for k in range(1, min(n, 40) + 1):
            assert 1 + below(n, k) <= 2 * k * log2(n / k) + 2 * k - 1 + 1e-9, (n, k)


@given(poisoned)
def test_records_refused_by_name_cost_no_further_request(case: tuple[int, set[int]]) -> None:
    n, bad = case
    records = records_of(n)
    receiver = Receiver({records[index] for index in bad})
    delivered = Delivery(records, receiver.named, learn).run()
    assert refused(delivered) == bad
    assert delivered == Delivered(n - len(bad), delivered.refused, 1)


@given(poisoned)
def test_answers_that_do_not_add_up_lose_no_good_record_and_accept_no_bad_one(
    case: tuple[int, set[int]],
) -> None:
    n, bad = case
    records = records_of(n)
    receiver = Receiver({records[index] for index in bad})
    delivered = Delivery(records, receiver.muddled, learn, max_requests=10**6).run()
    assert refused(delivered) == bad
    assert delivered.accepted == n - len(bad)
    assert set(receiver.accepted) == set(records) - receiver.bad


@given(poisoned)
def test_what_must_not_be_applied_twice_is_not_sent_again_after_an_answer_in_doubt(
    case: tuple[int, set[int]],
) -> None:
    n, bad = case
    records = records_of(n)
    receiver = Receiver({records[index] for index in bad})
    delivered = Delivery(records, receiver.muddled, learn, repeatable=False).run()
    assert len(receiver.accepted) == len(set(receiver.accepted))
    assert bad <= refused(delivered)
    doubtful = {failure.index for failure in delivered.refused if failure.outcome_unknown}
    assert doubtful or refused(delivered) == bad
    assert delivered.accepted + len(delivered.refused) == n


@given(poisoned, st.booleans())
def test_a_batch_refused_whole_is_searched_even_if_nothing_may_be_applied_twice(
    case: tuple[int, set[int]], repeatable: bool
) -> None:
    n, bad = case
    records = records_of(n)
    receiver = Receiver({records[index] for index in bad})
    delivered = Delivery(records, receiver.whole, learn, repeatable=repeatable, max_requests=10**6).run()
    assert refused(delivered) == bad
    assert len(receiver.accepted) == len(set(receiver.accepted)) == n - len(bad)


@given(poisoned, st.integers(1, 40))
def test_past_the_cap_the_rest_is_refused_as_one(case: tuple[int, set[int]], cap: int) -> None:
    n, bad = case
    records = records_of(n)
    receiver = Receiver({records[index] for index in bad})
    delivered = Delivery(records, receiver.whole, learn, max_requests=cap).run()
    assert delivered.requests == len(receiver.requests) <= cap
    assert bad <= refused(delivered)
    assert {failure.index for failure in delivered.refused if failure.isolated} <= bad
    assert delivered.accepted + len(delivered.refused) == n
    assert all("search ended" in failure.reason for failure in delivered.refused if not failure.isolated)


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=80),
    st.integers(10, 200),
    st.booleans(),
    st.sets(st.integers(0, 79), max_size=3),
)
def test_a_batch_too_large_arrives_in_pieces_in_its_order(
    sizes: list[int], limit: int, names_limit: bool, bad: set[int]
) -> None:
    records = [(b"%d-" % at).ljust(size, b"x") for at, size in enumerate(sizes)]
    receiver = Receiver(
        {records[index] for index in bad if index < len(records)}, limit_bytes=limit, names_limit=names_limit
    )
    delivered = Delivery(records, receiver.whole, learn, max_requests=10**6).run()
    too_large = {index for index, record in enumerate(records) if len(record) + 2 > limit}
    expected = too_large | {index for index in bad if index < len(records)}
    assert refused(delivered) == expected
    assert receiver.accepted == [record for index, record in enumerate(records) if index not in expected]


def test_a_limit_that_the_batch_keeps_to_still_gets_it_halved() -> None:
    records = records_of(8)
    receiver = Receiver(set(), limit_bytes=9)
    delivered = Delivery(records, receiver.whole, lambda _error, _size: 10**6).run()
    assert delivered.accepted == 8


def test_nothing_to_send_is_no_request() -> None:
    assert Delivery([], Receiver(set()).whole, learn).run() == Delivered(0, (), 0)


@pytest.mark.parametrize("error", [Retryable("no answer in time"), CredentialRefused(401, "refused")])
def test_an_error_in_the_middle_says_what_was_settled_before(error: MixpanelError) -> None:
    records = records_of(8)
    receiver = Receiver({b"0"})

    def send(batch: Sequence[bytes]) -> BatchResult:
        if b"4" in batch and len(batch) < 8:
            raise error
        return receiver.whole(batch)

    with pytest.raises(type(error)) as caught:
        Delivery(records, send, learn).run()
    progress = caught.value.progress
    assert progress is not None
    assert progress.accepted == {1, 2, 3}
    assert [failure.index for failure in progress.refused] == [0]
    assert progress.in_flight == {4, 5, 6, 7}


@given(st.lists(st.integers(1, 40)), st.integers(1, 200), st.integers(1, 20))
def test_batches_keep_order_and_limits_and_are_as_few_as_greed_allows(
    sizes: list[int], max_bytes: int, max_records: int
) -> None:
    records = [b"x" * size for size in sizes]
    batches = list(split(records, max_bytes, max_records))
    assert [index for batch in batches for index in batch] == list(range(len(records)))
    for batch in batches:
        size = len(json_array([records[index] for index in batch]))
        assert 1 <= len(batch) <= max_records
        assert size <= max_bytes or len(batch) == 1
    for batch, following in pairwise(batches):
        grown = [records[index] for index in (*batch, following[0])]
        assert len(grown) > max_records or len(json_array(grown)) > max_bytes


@given(st.lists(st.binary(max_size=30), max_size=30))
def test_the_size_of_a_body_is_known_without_building_it(records: list[bytes]) -> None:
    assert array_bytes(records) == len(json_array(records))


def test_two_thousand_records_are_one_batch_and_one_more_is_two() -> None:
    assert list(split(records_of(2_000), 10**7)) == [range(2_000)]
    assert list(split(records_of(2_001), 10**7)) == [range(2_000), range(2_000, 2_001)]
