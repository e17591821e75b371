"""The whole apply lane, page by page, against the same engine over dictionaries."""

from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.depth import examples
from tests.integration.cohorts.invariants import check, check_drained, plain, stored
from tests.integration.cohorts.relay import Relay
from tests.integration.cohorts.scale import scaled_down
from tests.model.engine import EngineReceiver
from tests.model.wire import Action, SentPage
from tests.redis_server import RedisServer

PEOPLE = tuple("abcdefgh")
COHORTS = ("c", "d:1")
ACTIONS: tuple[Action, ...] = ("members", "add_members", "remove_members")
BROKEN: tuple[object, ...] = ({}, None, {"mixpanel_distinct_id": ""}, {"mixpanel_distinct_id": 1.5})

people = st.sets(st.sampled_from(PEOPLE)).map(lambda names: tuple(sorted(names)))
pauses_s = st.sampled_from((0.0, 1.0, 60.0, 150.0, 700.0, 1800.0, 3 * 86_400.0))


class Pipeline(RuleBasedStateMachine):
    """Any pages in any order; whatever came, both sides must agree."""

    server: RedisServer

    @initialize(
        chunk=st.sampled_from((1, 2, 250)),
        load=st.sampled_from((1, 3, 90)),
        list_limit=st.sampled_from((1, 3, 100_000)),
    )
    def begin(self, chunk: int, load: int, list_limit: int) -> None:
        self.server.flush()
        self.relay = Relay(self.server)
        self.scale = scaled_down(chunk, load, list_limit)
        self.scale.__enter__()
        self.engines = {cohort_id: EngineReceiver() for cohort_id in COHORTS}
        for engine in self.engines.values():
            engine.trust = self.engines[COHORTS[0]].trust
        self.waiting: list[tuple[SentPage, str]] = []
        self.sent: list[SentPage] = []
        self.names = dict.fromkeys(COHORTS, "")
        self.known: set[str] = set()

    @rule(
        session=st.sampled_from(("0", "1", "2", "3r")),
        action=st.sampled_from(ACTIONS),
        number=st.integers(0, 3),
        total=st.sampled_from((0, 1, 1, 2, 2, 3)),
        members=people,
        cohort=st.sampled_from((COHORTS[0], COHORTS[0], COHORTS[1])),
        name=st.sampled_from(("VIP", "VIP", "VIP", "Gold", "")),
        broken=st.lists(st.sampled_from(BROKEN), max_size=2),
        plan=st.sampled_from(("", "", "basic", "pro")),
        pause_s=pauses_s,
    )
    def page(
        self,
        *,
        session: str,
        action: Action,
        number: int,
        total: int,
        members: tuple[str, ...],
        cohort: str,
        name: str,
        broken: list[object],
        plan: str,
        pause_s: float,
    ) -> None:
        self.relay.clock.now_s += pause_s
        page = SentPage(session, action, number, total, members, self.relay.clock.now_s, cohort)
        self._accept(page, name=name, broken=broken, plan=plan)

    @rule(data=st.data(), pause_s=pauses_s)
    def copy(self, data: st.DataObject, pause_s: float) -> None:
        if self.sent:
            self.relay.clock.now_s += pause_s
            page = data.draw(st.sampled_from(self.sent))
            self._accept(replace(page, at=self.relay.clock.now_s), name="VIP", broken=[], plan="")

    def _accept(self, page: SentPage, *, name: str, broken: list[object], plan: str) -> None:
        self.sent.append(page)
        self.known.add(page.cohort)
        if self.relay.accept(page, name=name, broken=broken, plan=plan):
            self.waiting.append((page, name))

    @rule(turns=st.integers(0, 8))
    def run_a_little(self, turns: int) -> None:
        self.relay.run(turns)
        check(self.relay)

    @rule(pause_s=pauses_s)
    def drain(self, pause_s: float) -> None:
        self.relay.clock.now_s += pause_s
        self.relay.drain()
        for page, name in self.waiting:
            engine = self.engines[page.cohort]
            engine.receive(page)
            newest = engine.machine.newest
            if newest and page.session in newest.sessions:
                self.names[page.cohort] = name or self.names[page.cohort]
        self.waiting.clear()
        for engine in self.engines.values():
            engine.quiet_until(self.relay.clock.now_s)
        self._compare()

    @rule()
    def lose_the_holder(self) -> None:
        self.relay.hold()

    def teardown(self) -> None:
        if hasattr(self, "scale"):
            try:
                self.drain(0.0)
            finally:
                self.scale.__exit__(None, None, None)
                self.relay.close()

    def _compare(self) -> None:
        check(self.relay)
        check_drained(self.relay.plain)
        for cohort_id in self.known:
            engine = self.engines[cohort_id]
            record, entries = stored(self.relay.plain, cohort_id)
            assert plain(record.machine) == plain(engine.machine)
            for entry in entries.values():
                entry.fingerprint = 0
            assert entries == engine.entries
            assert record.name == self.names[cohort_id]


def test_any_pages_in_any_order_end_as_the_engine_says(redis_server: RedisServer) -> None:
    Pipeline.server = redis_server
    run_state_machine_as_test(
        Pipeline,
        settings=settings(
            max_examples=examples(25),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
