"""Rule sets by their digests: what an entry of the log, or a cohort, means by one."""

from collections.abc import Iterator, Sequence
from typing import Final, cast

import orjson
from redis import Redis
from structlog.stdlib import get_logger

from app.cohorts.carried import Migration, pairs
from app.lanes.lanes import HeldLane
from app.store import keys
from config.projects import Project
from config.rules import RuleSet

log = get_logger(__name__)

_CACHED: Final = 64
_TAKEN_AWAY: Final = ("carried", "migration", "rename", "rename_rules")
_NOTHING: Final = (None, b"null")
FIRST: Final = "first"
USED: Final = "used"


class RuleSets:
    """Remembers rule sets, which never change under their digest, and finds them again."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._known: dict[str, RuleSet] = {}

    def remember(self, lane: HeldLane, rules: RuleSet) -> str:
        """Keep a rule set before anything is logged by it, and return its digest.

        Raises:
            LaneLost: the lane is somebody else's.
        """
        digest, meta = rules.digest, keys.rules_meta(lane.project_id)
        self._known[digest] = rules
        if self._redis.hget(meta, USED) != digest.encode():
            lane.write(keys.rule_sets(lane.project_id), "HSETNX", digest, rules.to_json())
            lane.write(meta, "HSETNX", FIRST, digest)
            lane.write(meta, "HSET", USED, digest)
        return digest

    def remember_first(self, project: Project) -> None:
        """Keep the rules that a project has as this is first asked: cohorts from before then have them."""
        if not self._redis.hexists(keys.rules_meta(project.id), FIRST):
            digest = project.rules.digest
            self._redis.hsetnx(keys.rule_sets(project.id), digest, project.rules.to_json())
            self._redis.hsetnx(keys.rules_meta(project.id), FIRST, digest)

    def first(self, project_id: str) -> str:
        """Return the digest of the first rules that are known of a project, if any."""
        found = cast("bytes | None", self._redis.hget(keys.rules_meta(project_id), FIRST))
        return found.decode() if found else ""

    def find(self, project_id: str, digest: str) -> RuleSet | None:
        """Return a rule set; None if it is not known."""
        if digest not in self._known:
            stored = cast("bytes | None", self._redis.hget(keys.rule_sets(project_id), digest))
            if stored is None:
                return None
            if len(self._known) >= _CACHED:
                self._known.clear()
            self._known[digest] = RuleSet.from_json(stored)
        return self._known[digest]

    def carried(self, project_id: str, cohorts: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
        """Give (cohort id, its name then, digest of the rules) of what members may carry for good.

        What a rename or a migration under way takes away is left out: some may not have it any more.
        """
        pipeline = self._redis.pipeline(transaction=False)
        for cohort_id, _ in cohorts:
            pipeline.hmget(keys.cohort(project_id, cohort_id), _TAKEN_AWAY)
        for (cohort_id, _), stored in zip(cohorts, pipeline.execute(), strict=True):
            written, migration, rename, rules = stored
            going = Migration.from_json(orjson.loads(migration)).old if migration not in _NOTHING else []
            names = orjson.loads(rename)[0] if rename not in _NOTHING else ()
            for digest, name in pairs(orjson.loads(written or b"[]")):
                if (digest, name) not in going and (name not in names or digest != (rules or b"").decode()):
                    yield cohort_id, name, digest

    def of(self, project: Project, digest: str) -> RuleSet:
        """Return the rules by which an entry is delivered; the configured ones where it names none."""
        found = self.find(project.id, digest) if digest else project.rules
        if found is None:
            log.warning("rules_not_known", project_id=project.id, rules=digest[:12])
            return project.rules
        return found
