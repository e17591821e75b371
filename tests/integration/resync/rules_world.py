"""A relay whose processes have rules of the test's choosing, and profiles that its log is delivered to."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.destinations.identity.caused import linking_ids
from app.destinations.position import Position
from app.destinations.profiles.source import ProfilesSource
from app.destinations.waiting.gate import Gate
from app.destinations.waiting.room import Room
from app.lanes.work import PROFILES
from app.resync.rule_changes import RuleChanges
from app.store import keys
from config.rules import Operation, Rule, RuleSet
from config.templates import Context
from tests.integration.cohorts.relay import PROJECT, ClockedRedis, P, Relay
from tests.integration.destinations.world import NoLinks
from tests.model.wire import SentPage
from tests.redis_server import RedisServer
from tests.unit.destinations.profile_model import Profile, Profiles, apply, seen, send

NOTHING = RuleSet()


class RulesWorld(Relay):
    """The relay of the store's tests, with changes of rules, and Mixpanel's profiles.

    Attributes:
        profiles: as Mixpanel would have them.
        names: cohort id -> name, as Mixpanel has them.
        rule_changes: asks for migrations.
    """

    def __init__(self, server: RedisServer, kind: type[ClockedRedis] = ClockedRedis) -> None:
        super().__init__(server, kind, replace(PROJECT, rules=NOTHING))
        self.profiles: Profiles = {}
        self.names = {"1": "VIP", "2": "Gold"}
        self.rule_changes = RuleChanges(self.plain, self.lanes)
        gate = Gate(self.plain, Room(self.plain, PROFILES.name), NoLinks(), wait_s=0.0)
        self._source = ProfilesSource(self.changelog, self.cohorts, self.membership, gate, linking_ids)
        self._sessions = 0

    def rules(self, rules: RuleSet) -> None:
        """Let a process with these rules be the next one to work."""
        self.project = replace(self.project, rules=rules)

    def send_list(self, cohort: str, members: Iterable[str], *, plan: str = "", runs: bool = True) -> None:
        """Have a full list accepted, and applied unless told otherwise."""
        self._sessions += 1
        self.clock.now_s += 1800.0
        page = SentPage(f"s{self._sessions}", "members", 1, 1, tuple(members), self.clock.now_s, cohort)
        self.accept(page, name=self.names[cohort], plan=plan)
        if runs:
            self.drain()

    def deliver(self, entries: int = 1_000_000) -> None:
        """Deliver so many entries of the log, or some more, by this process's rules where they name none."""
        before = self.cursor
        while self.cursor < before + entries and self.deliver_window():
            pass

    def deliver_window(self) -> bool:
        """Deliver one window; False at the log's end."""
        position = Position.of({b"cursor": str(self.cursor).encode()})
        delivery = self._source.next(self.project, position)
        if delivery is None:
            return False
        plan, known = self._source.plan(self.project, delivery)
        again, _ = self._source.plan(self.project, replace(delivery, known=known))
        assert again.rounds == plan.rounds, "a later try plans the same"
        for part in plan.rounds:
            for record in (*part.records, *(encoded for _, encoded in part.once)):
                send(self.profiles, record)
        self.plain.hset(keys.destination(P, PROFILES.name), "cursor", delivery.end)
        return True

    @property
    def cursor(self) -> int:
        return int(self.plain.hget(keys.destination(P, PROFILES.name), "cursor") or 0)

    def migrate(self) -> None:
        """Apply the rules, and let all of it happen."""
        self.rule_changes.apply(self.project, "test")
        self.settle()

    def settle(self) -> None:
        """Let the lanes work until nothing is left to do."""
        for _ in range(60):
            self.deliver()
            self.clock.now_s += 1.0
            self.drain()
            if not self.rule_changes.status(self.project).migrating and self.cursor == self.changelog.end(P):
                return
        raise AssertionError("it does not come to rest")

    def seen(self) -> Profiles:
        """Return what counts of the profiles; somebody without anything is nobody."""
        return {who: kept for who, profile in self.profiles.items() if (kept := seen(profile))}

    def implied(self) -> Profiles:
        """Return the profiles that the rules imply, had they always been these."""
        found: Profiles = {}
        for cohort_id, name in self.names.items():
            for who in self.members(cohort_id):
                context = Context(P, cohort_id, name, "", 0, who)
                _enter(found.setdefault(who, {}), self.project.rules.matching(cohort_id, name), context)
        return {who: kept for who, profile in found.items() if (kept := seen(profile))}


def _enter(profile: Profile, rules: Sequence[Rule], context: Context) -> None:
    for rule in rules:
        for operation in rule.entering:
            rendered = operation.rendered(context)
            if rendered:
                apply(profile, operation.kind, {rendered[0]: rendered[1]})


def listed(name: str, value: str, **matching: object) -> Rule:
    """Return a rule that puts a value into a list, and takes it out."""
    return _rule(Operation("$union", name, [value]), Operation("$remove", name, value), matching)


def flagged(name: str, value: str, **matching: object) -> Rule:
    """Return a rule that sets a property, and unsets it."""
    return _rule(Operation("$set", name, value), Operation("$unset", name), matching)


def once(name: str, value: str, **matching: object) -> Rule:
    """Return a rule that sets a property that is not there, and unsets it."""
    return _rule(Operation("$set_once", name, value), Operation("$unset", name), matching)


def _rule(enter: Operation, leave: Operation, matching: dict[str, object]) -> Rule:
    return Rule(enter=(enter,), exit=(leave,), **matching)  # type: ignore[arg-type]  # cohort_ids, cohort_names
