"""`flask rules` over a real Redis: a changed file, its plan, and the migration; the test runs the lanes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.lanes.work import PROFILES
from app.store import keys

from .relay import SHOP, Relay, environment

PROJECTS = """
projects:
  - id: {id}
    name: shop
    region: eu
    token: ${{TOKEN}}
    webhook_credentials: [{{username: shop, password: "${{TOKEN}}"}}]
    rules:
{rules}
"""
OLD = """
      - enter: {$union: {Cohorts: ["{cohort_name}"]}}
        exit: {$remove: {Cohorts: "{cohort_name}"}}
"""
NEW = """
      - enter: {$union: {Cohorts: ["{cohort_id}"]}, $add: {Visits: 1}}
        exit: {$remove: {Cohorts: "{cohort_id}"}}
        copy: {plan: Plan}
"""


def write(rules: str) -> None:
    Path("projects.yaml").write_text(PROJECTS.format(id=SHOP, rules=rules.strip("\n")))


def started(redis_url: str) -> Relay:
    """Start the relay with the file as it is now."""
    return Relay(environment(redis_url, PROJECTS_FILE="projects.yaml", TOKEN="t" * 32))


@pytest.fixture
def changed(redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    """A cohort of three, written by rules that are others by now."""
    monkeypatch.chdir(tmp_path)
    write(OLD)
    before = started(redis_url)
    before.accept("members", "a", "b", "c")
    before.run_lane("apply")
    before.services.redis.hset(keys.destination(SHOP, PROFILES.name), "cursor", 1000)
    before.close()
    write(NEW)
    made = started(redis_url)
    yield made
    made.close()


def test_a_plan_says_what_would_happen_and_does_nothing(changed: Relay) -> None:
    result = changed.flask("rules", "plan")
    assert result.exit_code == 3
    for part in (
        "1 of 1 cohort, 3 members; at most 3 $remove, 3 $union.",
        '- {"$remove":{"Cohorts":"VIP"}}',
        '+ {"$union":{"Cohorts":["7"]}}',
        '* {"$add":{"Visits":1}}',
        "flask cohorts resync 7 --mode reconcile --output-property plan",
        "The workers last used other rules",
    ):
        assert part in result.output, part
    (plan,) = changed.json("rules", "plan", status=3)["plans"]
    assert plan["cohorts"][0]["needs_values"] == ["Plan"]
    assert changed.flask("rules", "status").exit_code == 3


def test_apply_migrates_what_the_plan_shows_and_is_audited(changed: Relay) -> None:
    (asked,) = changed.json("rules", "apply", "--yes", "--no-wait")["rules"]
    assert [each["cohort_id"] for each in asked["migrating"]] == ["7"]
    changed.run_lane("apply")
    assert "all members follow the rules" in changed.flask("rules", "status").output
    done = changed.flask("rules", "apply", "--yes")
    assert (done.exit_code, changed.flask("rules", "plan").exit_code) == (0, 0)
    entries = changed.json("audit", "list")["entries"]
    assert [each["action"] for each in entries if "rules" in each["action"]] == ["flask rules apply"]


def test_apply_asks_first(changed: Relay) -> None:
    result = changed.flask("rules", "apply")
    assert result.exit_code == 1
    assert "Migrate these members?" in result.stderr
    assert changed.json("rules", "status", status=3)["rules"][0]["migrating"] == []
