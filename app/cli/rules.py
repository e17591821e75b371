"""`flask rules`: what changed rules mean for members, and migrating them (docs/rules.md)."""

import time
from typing import Final

import click
from flask.cli import AppGroup

from app.cli.auditing import audited
from app.cli.opening import chosen_projects, json_option, opened, print_json, project_option
from app.cli.progress import progress
from app.cli.rules_text import plan_text, status_line, status_text
from app.resync.rule_changes import RulesStatus
from app.services import Services

LEFT: Final = 3
"""Exit status: members are left who follow other rules."""
ASKED_BY: Final = "command line"
LOOK_S: Final = 0.5
rules_cli = AppGroup("rules", help="Changed rules, and the members who are to follow them.")


@rules_cli.command("plan")
@project_option
@json_option
def plan(*, project_id: str | None, as_json: bool) -> None:
    """Show what migrating members to the configured rules would do.

    The status is 0 when there is nothing to do, and 3 when there is.
    """
    with opened(as_json=as_json) as services:
        plans = [each.plan for each in _statuses(services, project_id)]
    if as_json:
        print_json({"plans": [each.told() for each in plans]})
    else:
        click.echo("\n\n".join(map(plan_text, plans)))
    if any(each.cohorts for each in plans):
        raise SystemExit(LEFT)


@rules_cli.command("apply")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--no-wait", is_flag=True, help="Ask for it, and leave it to the workers.")
@project_option
@json_option
def apply(*, yes: bool, no_wait: bool, project_id: str | None, as_json: bool) -> None:
    """Migrate members to the configured rules, after showing the plan.

    It goes on behind live changes, and after a crash where it was. The status is 0 when all members follow
    the rules (with --no-wait: when it is asked for), and 3 when some are left.
    """
    if as_json and not yes:
        raise click.UsageError("With --json nothing can be asked: give --yes.")
    with opened(as_json=as_json) as services:
        before = _statuses(services, project_id)
        wanted = [each for each in before if each.plan.cohorts or each.migrating]
        if wanted and not yes:
            click.echo("\n\n".join(plan_text(each.plan) for each in wanted), err=True)
            click.confirm("Migrate these members?", abort=True, err=True)
        for each in wanted:
            _ask(services, each)
        if not no_wait:
            for each in wanted:
                _wait(services, each, hidden=as_json)
        after = _statuses(services, project_id)
    left = any(each.plan.cohorts for each in after) and not no_wait
    if as_json:
        print_json({"ok": not left, "rules": [each.told() for each in after]})
    else:
        click.echo("\n".join(map(status_line, after)))
    if left:
        raise SystemExit(LEFT)


@rules_cli.command("status")
@project_option
@json_option
def status(*, project_id: str | None, as_json: bool) -> None:
    """Show which cohorts follow the configured rules, and how far migrations are.

    The status is 0 when all members follow the rules, and 3 when some are left.
    """
    with opened(as_json=as_json) as services:
        found = _statuses(services, project_id)
    if as_json:
        print_json({"rules": [each.told() for each in found]})
    else:
        click.echo("\n\n".join(status_text(each) for each in found))
    if any(each.plan.cohorts for each in found):
        raise SystemExit(LEFT)


def _statuses(services: Services, project_id: str | None) -> list[RulesStatus]:
    projects = chosen_projects(services.settings, project_id)
    return [services.rule_changes.status(services.settings.projects[each]) for each in projects]


def _ask(services: Services, before: RulesStatus) -> None:
    project = services.settings.projects[before.plan.project_id]
    with audited(services, "rules apply", project_id=project.id, rules=before.plan.rules) as note:
        services.rule_changes.apply(project, ASKED_BY)
        note.counts |= {"cohorts": len(before.plan.cohorts), "members": before.plan.members}


def _wait(services: Services, before: RulesStatus, *, hidden: bool) -> None:
    """Show how far a migration is until it is through; who breaks off only stops looking."""
    project = services.settings.projects[before.plan.project_id]
    total = max(1, sum(each.members for each in before.plan.cohorts))
    done = 0
    try:
        with progress(f"Project {project.id}", total, hidden=hidden) as advance:
            while True:
                now = services.rule_changes.status(project)
                waiting = sum(round(each.members * (1 - each.share)) for each in now.migrating)
                advance(max(0, total - waiting - done))
                done = max(done, total - waiting)
                if not now.migrating:
                    return
                time.sleep(LOOK_S)
    except KeyboardInterrupt:
        click.echo("It goes on: flask rules status", err=True)
        raise
