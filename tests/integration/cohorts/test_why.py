"""Why somebody is in a cohort, held against the change log of the same syncs."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.cohorts.sessions import Sessions
from app.cohorts.why import Whys
from tests.depth import examples
from tests.integration.cohorts.relay import P, Relay
from tests.model.wire import SentPage
from tests.redis_server import RedisServer

PEOPLE = ("a", "b", "c", "d")
people = st.frozensets(st.sampled_from(PEOPLE))
full = st.tuples(st.just("full"), people, people)
diff = st.tuples(st.just("diff"), people, people)


@settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(syncs=st.lists(full | diff, min_size=1, max_size=6))
def test_why_agrees_with_the_log_on_who_is_in_since_when_and_by_which_sync(
    redis_server: RedisServer, syncs: list[tuple[str, frozenset[str], frozenset[str]]]
) -> None:
    redis_server.flush()
    relay = Relay(redis_server)
    for number, (kind, one, other) in enumerate(syncs):
        session, at = f"s{number}", float(number * 1_800)
        if kind == "full":
            relay.send(SentPage(session, "members", 1, 1, tuple(sorted(one)), at))
        else:
            relay.send(SentPage(session, "add_members", 1, 1, tuple(sorted(one)), at))
            relay.send(SentPage(session, "remove_members", 1, 1, tuple(sorted(other - one)), at + 1))
    brought: dict[str, str] = {}
    for entry in relay.log():
        if entry.cause not in ("sync", "taken_back"):
            continue
        for person, _ in entry.entered:
            brought[person] = entry.session_id if entry.cause == "sync" else ""
        for person in entry.exited:
            brought.pop(person, None)
    whys = Whys(relay.plain, Sessions(relay.plain))
    for person in PEOPLE:
        found = whys.of(P, person)
        assert [why.member for why in found if why.member] == [True] * (person in relay.members())
        for why in found:
            assert why.last_named
            if why.member and brought[person]:  # else taken back: the log names the sync that fell
                assert why.brought
                assert why.brought.session_id == brought[person]
                assert why.brought.page
    relay.close()
