"""A page as large as the webhook takes, and who asks for members while buckets are split."""

from collections.abc import Sequence

import pytest

from app.cohorts.applying.pages import STEPS_AT_ONCE
from app.cohorts.commit import Commit, Committer
from app.cohorts.epochs import Entry
from app.cohorts.membership import Membership
from tests.integration.cohorts.invariants import check
from tests.integration.cohorts.relay import P, Relay
from tests.integration.cohorts.scale import scaled_down
from tests.model.wire import COHORT, Action, SentPage
from tests.redis_server import RedisServer


def one_page(session: str, action: Action, people: Sequence[str]) -> SentPage:
    return SentPage(session, action, 1, 1, tuple(people), 0.0)


def test_a_large_page_renews_its_lease_on_the_way(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    redis_server.flush()
    relay = Relay(redis_server)
    people = [f"u{number}" for number in range(5 * STEPS_AT_ONCE)]
    together: list[int] = []
    run = Committer.run

    def counted(committer: Committer, commits: Sequence[Commit]) -> list[int]:
        together.append(len(commits))
        return run(committer, commits)

    monkeypatch.setattr(Committer, "run", counted)
    with scaled_down(chunk=2, load=1, list_limit=100_000):
        relay.accept(one_page("0", "members", people))
        relay.drain()
        check(relay)
    assert relay.members() == frozenset(people)
    assert max(together) == STEPS_AT_ONCE
    relay.close()


def test_nobody_looks_absent_while_buckets_are_split(redis_server: RedisServer) -> None:
    redis_server.flush()
    relay = Relay(redis_server)
    people = [f"u{number}" for number in range(80)]
    relay.send(one_page("0", "members", people))

    class SplitMeanwhile(Membership):
        """A destination's look-up, and the apply lane between its two commands."""

        splits = 0

        def entries(
            self, project_id: str, cohort_id: str, buckets: int, packed_ids: Sequence[bytes]
        ) -> dict[bytes, Entry]:
            if self.splits < 2:
                self.splits += 1
                newcomers = [f"v{self.splits}-{number}" for number in range(150)]
                relay.send(one_page(f"{self.splits}", "add_members", newcomers))
            return super().entries(project_id, cohort_id, buckets, packed_ids)

    asked = SplitMeanwhile(relay.plain)
    assert asked.present(P, COHORT, [*people, "nobody"]) == frozenset(people)
    assert asked.splits == 2
    assert asked.present(P, "never heard of", people) == frozenset()
    relay.close()
