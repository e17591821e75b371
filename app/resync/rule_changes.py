"""Changed rules: what migrating the members to them would do, asking for it, and how that stands.

The rules that are configured are in force for whatever happens from now on. What happened before was
delivered by other rules, and each cohort remembers which: `app.cohorts.carried`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

import orjson
from redis import Redis

from app.cohorts.carried import Carried, Written
from app.cohorts.record import read_carried
from app.cohorts.rule_sets import FIRST, USED, RuleSets
from app.lanes.lanes import Lanes
from app.lanes.work import APPLY
from app.resync.rule_plan import CohortPlan, RulePlan, plan_cohort
from app.store import keys, scripts
from app.store.slices import slices
from config.projects import Project
from config.rule_changes import Effect

_ASKED_AT_ONCE: Final = 250
_FIELDS: Final = ("name", "members", "buckets", "carried", "migration", "rename")


@dataclass(frozen=True, slots=True)
class Migrating:
    """A cohort whose members are being brought to rules.

    Attributes:
        cohort_id, cohort_name: which.
        members: how many it has.
        rules: digest of the rules.
        asked_ms: when that was asked for; 0 while it has not begun.
        share: how far it is, from 0 to 1.
    """

    cohort_id: str
    cohort_name: str
    members: int
    rules: str
    asked_ms: int
    share: float


@dataclass(frozen=True, slots=True)
class RulesStatus:
    """How a project's members stand to its rules.

    Attributes:
        plan: what would still have to be done, whether or not it is under way.
        migrating: what is under way.
        asked_ms, asked_by: when and by whom a migration was last asked for; 0 and empty if never.
    """

    plan: RulePlan
    migrating: Sequence[Migrating]
    asked_ms: int
    asked_by: str

    @property
    def to_apply(self) -> Sequence[CohortPlan]:
        """Return the cohorts that nobody brings to the configured rules yet."""
        under_way = {each.cohort_id for each in self.migrating if each.rules == self.plan.rules}
        return [each for each in self.plan.cohorts if each.cohort_id not in under_way]

    def told(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "project_id": self.plan.project_id,
            "rules": self.plan.rules,
            "used": self.plan.used,
            "known": self.plan.known,
            "to_apply": [each.cohort_id for each in self.to_apply],
            "migrating": [asdict(each) for each in self.migrating],
            "asked_ms": self.asked_ms,
            "asked_by": self.asked_by,
        }


@dataclass(frozen=True, slots=True)
class _Cohort:
    id: str
    name: str
    members: int
    buckets: int
    carried: Carried
    old_names: frozenset[str]


class RuleChanges:
    """The rules of all projects, and what members may carry of others."""

    def __init__(self, redis: Redis, lanes: Lanes) -> None:
        self._redis = redis
        self._lanes = lanes
        self._rule_sets = RuleSets(redis)
        self._ask = scripts.load(redis, "resync/scripts/ask_rules.lua")

    def remember_first(self, project: Project) -> None:
        """Remember by which rules cohorts were written before that was remembered with each."""
        self._rule_sets.remember_first(project)

    def plan(self, project: Project) -> RulePlan:
        """Say what migrating the project's members to its rules would do."""
        return self.status(project).plan

    def status(self, project: Project) -> RulesStatus:
        """Say how the project's members stand to its rules."""
        meta = self._hash(keys.rules_meta(project.id))
        rung = self._hash(keys.rules_rung(project.id))
        cohorts = list(self._cohorts(project, meta.get(FIRST, "")))
        digest = project.rules.digest
        planned = [each for cohort in cohorts if (each := self._plan_one(project, digest, cohort))]
        return RulesStatus(
            RulePlan(project.id, digest, meta.get(USED, ""), len(cohorts), planned),
            [under_way for each in cohorts if (under_way := _migrating(each, rung.get(each.id)))],
            int(meta.get("asked_ms", 0)),
            meta.get("asked_by", ""),
        )

    def apply(self, project: Project, asked_by: str) -> RulesStatus:
        """Ask for the migration of every cohort that is not on its way to the project's rules.

        A migration to other rules that is under way gives way to it.

        Returns:
            How it stands then.
        """
        digest = project.rules.digest
        status = self.status(project)
        other = [each.cohort_id for each in status.migrating if each.rules != digest]
        wanted = list(dict.fromkeys([*(each.cohort_id for each in status.to_apply), *other]))
        names = [
            keys.rule_sets(project.id),
            keys.rules_meta(project.id),
            keys.rules_rung(project.id),
            keys.due(project.id),
            keys.lane(project.id, APPLY.name),
        ]
        for some in slices(wanted, _ASKED_AT_ONCE):
            wake = self._ask(keys=names, args=[digest, project.rules.to_json(), asked_by, *some])
            self._lanes.enqueue(project.id, APPLY.name, cast("int", wake))
        return self.status(project) if wanted else status

    def _plan_one(self, project: Project, digest: str, cohort: _Cohort) -> CohortPlan | None:
        target = (digest, cohort.name)
        others = [
            each
            for each in cohort.carried.others(target)
            if each[0] != digest or each[1] not in cohort.old_names  # a rename sees to these
        ]
        if not others or not cohort.members:
            return None
        olds = [self._effect(project, cohort.id, each) for each in others]
        new = Effect(project.rules, cohort.id, cohort.name)
        return plan_cohort(cohort.id, cohort.name, cohort.members, olds, new)

    def _effect(self, project: Project, cohort_id: str, written: Written) -> Effect:
        rules = self._rule_sets.find(project.id, written[0]) or project.rules
        return Effect(rules, cohort_id, written[1])

    def _cohorts(self, project: Project, first: str) -> Iterator[_Cohort]:
        found = cast("set[bytes]", self._redis.smembers(keys.cohorts(project.id)))
        ids = sorted((cohort_id.decode() for cohort_id in found), key=lambda each: (len(each), each))
        for some in slices(ids, _ASKED_AT_ONCE):
            pipeline = self._redis.pipeline(transaction=False)
            for cohort_id in some:
                pipeline.hmget(keys.cohort(project.id, cohort_id), _FIELDS)
            for cohort_id, values in zip(some, pipeline.execute(), strict=True):
                if values[0] is not None:
                    yield _read(cohort_id, values, first or project.rules.digest)

    def _hash(self, key: str) -> Mapping[str, str]:
        found = cast("dict[bytes, bytes]", self._redis.hgetall(key))  # some fields, or one a cohort
        return {name.decode(): value.decode() for name, value in found.items()}


def _read(cohort_id: str, values: Sequence[bytes | None], first: str) -> _Cohort:
    stored = {name.encode(): value for name, value in zip(_FIELDS, values, strict=True) if value is not None}
    carried = read_carried(stored)
    carried.resolve(first)
    rename = orjson.loads(stored.get(b"rename", b"null"))
    return _Cohort(
        cohort_id,
        stored[b"name"].decode(),
        int(stored.get(b"members", 0)),
        int(stored.get(b"buckets", 1)),
        carried,
        frozenset(rename[0] if rename else ()),
    )


def _migrating(cohort: _Cohort, rung: str | None) -> Migrating | None:
    """Tell of a migration; one that is asked for takes the place of one that is under way."""
    if rung:
        rules, asked_ms = orjson.loads(rung)
        return Migrating(cohort.id, cohort.name, cohort.members, rules, asked_ms, 0.0)
    migration = cohort.carried.migration
    if migration is None:
        return None
    share = min(1.0, migration.cursor / max(1, cohort.buckets))
    return Migrating(cohort.id, cohort.name, cohort.members, migration.target, migration.at_ms, share)
