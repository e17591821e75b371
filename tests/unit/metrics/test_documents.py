"""Whether documentation, alert rules and dashboard tell of the metrics that exist, and of no others."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.metrics.families import FAMILIES, Family
from app.metrics.standing import STANDING
from app.mixpanel import errors
from app.status.metrics import FAILURES
from app.status.processes import all_living
from app.web import causes
from config.version import VERSION

DOCS = Path(__file__).resolve().parents[3] / "docs"
PREFIX = "cohort_relay_"
KNOWN = {family.name: family for family in (*FAMILIES, *STANDING)}
ALERTS = yaml.safe_load((DOCS / "alerts.yml").read_text())
BOARD = json.loads((DOCS / "grafana-dashboard.json").read_text())
ROW = re.compile(r"^\| (`[a-z_`, ]+`) \| (\w+)(, recorded)? \|([\w, ]*)\| .+$", re.MULTILINE)
USE = re.compile(rf"({PREFIX}\w+)(?:\{{([^}}]*)\}})?(?:\[[^\]]+\])?")
CALL = re.compile(rf"(\w+)\((?:{PREFIX}\w+)")


def expressions() -> Iterator[str]:
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            yield rule["expr"]
    for panel in BOARD["panels"]:
        for target in panel["targets"]:
            yield target["expr"]
    for variable in BOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]


def family_of(series: str) -> Family:
    """Return the family that a series is of: a histogram has three."""
    if series in KNOWN and KNOWN[series].kind != "histogram":
        return KNOWN[series]
    base, _, part = series.rpartition("_")
    assert base in KNOWN, f"no metric has a series {series}"
    assert part in ("bucket", "sum", "count"), series
    assert KNOWN[base].kind == "histogram", series
    return KNOWN[base]


@pytest.mark.parametrize("expression", list(expressions()))
def test_a_rule_or_panel_asks_for_metrics_and_labels_that_exist(expression: str) -> None:
    used = list(USE.finditer(expression))
    assert used or expression.startswith("up")
    labels = {"le"} if "_bucket" in expression else set()
    for found in used:
        family = family_of(found[1])
        labels |= set(family.labels)
        for matcher in filter(None, (each.strip() for each in (found[2] or "").split(", "))):
            (label,) = re.findall(r"^(\w+)(?:=~|!~|!=|=)", matcher)
            assert label in family.labels, f"{found[1]} has no label {label}"
    for grouped in re.findall(r"(?:by|on|group_left) \(([^)]*)\)", expression):
        assert {each.strip() for each in grouped.split(",") if each.strip()} <= labels, grouped


@pytest.mark.parametrize("expression", list(expressions()))
def test_rates_are_of_counters_and_of_nothing_else(expression: str) -> None:
    for found in USE.finditer(expression):
        family = family_of(found[1])
        counts = family.kind in ("counter", "histogram")
        assert counts == bool(re.search(r"\[[^\]]+\]$", found[0])), found[0]


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    (group,) = ALERTS["groups"]
    names = [rule["alert"] for rule in group["rules"]]
    assert len(names) == len(set(names)) > 10
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in ("page", "warn")
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
        labels = {label for found in USE.finditer(rule["expr"]) for label in family_of(found[1]).labels}
        named = re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"]))
        assert set(named) <= labels, rule["alert"]


def test_every_alert_names_its_page_of_the_runbook_and_the_page_and_the_index_name_the_alert() -> None:
    index = (DOCS / "runbook.md").read_text().splitlines()
    named = set()
    for rule in ALERTS["groups"][0]["rules"]:
        folder, _, page = rule["annotations"]["runbook_url"].rpartition("/")
        assert folder == "docs/runbook"
        assert f"`{rule['alert']}`" in (DOCS / "runbook" / page).read_text(), f"{page}: {rule['alert']}"
        (row,) = [line for line in index if f"`{rule['alert']}`" in line]
        assert f"(runbook/{page})" in row, rule["alert"]
        named.add(page)
    assert named == {page.name for page in (DOCS / "runbook").glob("*.md")}


def test_a_missing_process_of_each_kind_raises_an_alert_as_urgent_as_the_status_says() -> None:
    urgencies = {}
    for rule in ALERTS["groups"][0]["rules"]:
        for pattern in re.findall(r'cohort_relay_processes\{role=~?"([^"]+)", alive="true"\}', rule["expr"]):
            urgencies[pattern.replace(".*", "")] = rule["labels"]["severity"]
    severities = {"fail": "page", "warn": "warn"}
    assert urgencies == {check.name: severities[check.verdict] for check in all_living([])}


def test_no_page_tells_of_an_alert_that_is_not_there() -> None:
    known = {rule["alert"] for rule in ALERTS["groups"][0]["rules"]}
    for page in DOCS.rglob("*.md"):
        assert set(re.findall(r"CohortRelay[A-Z]\w+", page.read_text())) <= known, page.name


def test_words_that_rules_look_for_are_words_that_labels_have() -> None:
    known = {cause.code for cause in causes.CAUSES}
    text = (DOCS / "alerts.yml").read_text()
    found = [word for words in re.findall(r'cause=~?"([^"]+)"', text) for word in words.split("|")]
    assert set(found) <= known
    assert {cause.code for cause in causes.PAUSING} <= set(found)


def test_the_dashboard_has_panels_that_do_not_overlap() -> None:
    places: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        at: dict[str, Any] = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in places
                places.add((x, y))
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])
    assert all(0 <= x < 24 for x, _ in places)


def test_the_page_tells_of_every_metric_with_its_type_and_labels() -> None:
    told = {}
    for names, kind, recorded, labels in ROW.findall((DOCS / "metrics.md").read_text()):
        for name in re.findall(r"`(\w+)`", names):
            told[PREFIX + name] = (kind, bool(recorded), tuple(filter(None, labels.strip().split(", "))))
    recorded_names = {family.name for family in FAMILIES}
    assert told == {
        name: (family.kind, name in recorded_names, family.labels) for name, family in KNOWN.items()
    }


def test_names_follow_prometheuss_conventions() -> None:
    assert len(KNOWN) == len(FAMILIES) + len(STANDING)
    for name, family in KNOWN.items():
        assert re.fullmatch(rf"{PREFIX}[a-z_]+", name)
        assert name.endswith("_total") == (family.kind == "counter")
        assert family.help.endswith(".")
        assert not {"le", "quantile", "job", "instance"} & set(family.labels)
        assert list(family.bounds) == sorted(set(family.bounds))
        assert bool(family.bounds) == (family.kind == "histogram")


def test_every_error_that_puts_a_window_off_is_counted_under_its_code() -> None:
    def below(kind: type[errors.MixpanelError]) -> Iterator[type[errors.MixpanelError]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    assert {each.code for each in below(errors.MixpanelError)} | {"outbox_full"} == set(FAILURES)


def test_every_cause_that_there_is_may_be_a_label() -> None:
    named = {each for each in vars(causes).values() if isinstance(each, causes.Cause)}
    assert named - set(causes.CAUSES) == {causes.METHOD_NOT_ALLOWED, causes.NEVER_PAUSE}


def test_the_version_is_the_projects() -> None:
    text = (DOCS.parent / "pyproject.toml").read_text()
    assert re.findall(r'^version = "(.+)"$', text, re.MULTILINE) == [VERSION]
