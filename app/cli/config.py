"""`flask config`: what is configured, and what is wrong with it."""

import os
import sys
from collections.abc import Iterable, Mapping, Sized
from pathlib import Path
from typing import Any

import click
import orjson
from flask.cli import AppGroup
from tabulate import tabulate

from config.events import Event
from config.links import KEYS, LinkRule
from config.projects import Project
from config.rules import Operation, Rule
from config.settings import Settings, SettingsError, load_settings

config_cli = AppGroup("config", help="The settings and the projects file.")


# Without an application: that could not be made from the very settings whose problems are to be shown.
@config_cli.command("check", with_appcontext=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for programs.")
def check(as_json: bool) -> None:
    """Check the settings; list every problem, or what is configured. Ends with 1 on problems."""
    try:
        settings = load_settings(os.environ, Path())
    except SettingsError as error:
        _print_problems(error.problems, as_json=as_json)
        sys.exit(1)
    if as_json:
        _print_json({"ok": True, "problems": [], **_summary(settings)})
    else:
        click.echo(_tables(settings))


def _print_problems(problems: tuple[str, ...], *, as_json: bool) -> None:
    if as_json:
        _print_json({"ok": False, "problems": list(problems)})
        return
    for problem in problems:
        click.echo(f"  - {problem}", err=True)
    click.echo(
        f"{len(problems)} problem{'s' if len(problems) > 1 else ''}. See docs/configuration.md.", err=True
    )


def _print_json(value: Mapping[str, Any]) -> None:
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def _summary(settings: Settings) -> dict[str, Any]:
    return {"projects": [_project(project) for project in settings.projects.values()]}


def _project(project: Project) -> dict[str, Any]:
    account = project.service_account
    return {
        "id": project.id,
        "name": project.name,
        "region": project.region,
        "ingestion": project.hosts.ingestion,
        "id_management": project.id_management,
        "integration_id": project.integration_id,
        "service_account": account.username if account else None,
        "webhook_usernames": [credential.username for credential in project.webhook_credentials],
        "never_pause": project.never_pause,
        "rules": [_rule(rule) for rule in project.rules.rules],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "cohort_ids": sorted(rule.cohort_ids),
        "cohort_names": list(rule.cohort_names),
        "enter": _effects(rule.enter, rule.enter_event),
        "exit": _effects(rule.exit, rule.exit_event),
        "update": _effects(rule.update, rule.update_event),
        "copy": dict(rule.copy),
        "links": [_link(link) for link in rule.links],
    }


def _effects(operations: Iterable[Operation], event: Event | None) -> list[str]:
    return [*map(_operation, operations), *([] if event is None else [_event(event)])]


def _event(event: Event) -> str:
    properties = f" {orjson.dumps(dict(event.properties)).decode()}" if event.properties else ""
    return f"event {orjson.dumps(event.name).decode()}{properties}"


def _link(link: LinkRule) -> str:
    ids = [orjson.dumps(one).decode() for one in (link.first, link.second)]
    if link.verb == "merge":
        return f"merge {ids[0]} and {ids[1]}"
    return ", ".join(f"{key} {one}" for key, one in zip(KEYS[link.verb], ids, strict=True))


def _operation(operation: Operation) -> str:
    if operation.value is None:
        return f"{operation.kind} {operation.property}".rstrip()
    return f"{operation.kind} {operation.property} = {orjson.dumps(operation.value).decode()}"


def _tables(settings: Settings) -> str:
    projects = [_project(project) for project in settings.projects.values()]
    columns = {
        "id": "project",
        "name": "name",
        "region": "region",
        "ingestion": "ingestion",
        "id_management": "ids",
        "service_account": "service account",
        "webhook_usernames": "webhook users",
    }
    table = [[_cell(project[column]) for column in columns] for project in projects]
    rules = [_rule_row(project["id"], rule) for project in projects for rule in project["rules"]]
    return "\n\n".join(
        (
            tabulate(table, headers=list(columns.values()), disable_numparse=True),
            tabulate(
                rules,
                headers=["project", "cohorts", "enter", "exit", "update", "copy", "links"],
                disable_numparse=True,
            ),
            f"The settings are fine: {_count(projects, 'project')}, {_count(rules, 'rule')}.",
        )
    )


def _rule_row(project_id: str, rule: Mapping[str, Any]) -> list[str]:
    cohorts = [*rule["cohort_ids"], *rule["cohort_names"]] or ["(every)"]
    copies = [f"{source} -> {target}" for source, target in rule["copy"].items()]
    return [
        project_id,
        *(
            _cell(cell)
            for cell in (cohorts, rule["enter"], rule["exit"], rule["update"], copies, rule["links"])
        ),
    ]


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(value)
    return "" if value is None else str(value)


def _count(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}" + ("" if len(things) == 1 else "s")
