"""`flask subscriptions ...`: services that are told of changes by webhook (docs/webhooks.md)."""

from dataclasses import replace
from typing import Any

import click
from flask.cli import AppGroup

from app.cli.auditing import audited
from app.cli.formatting import clean
from app.cli.opening import chosen_projects, end, json_option, opened, print_json, project_option
from app.cli.subscription_finding import (
    find_subscription,
    print_subscription,
    subscription_id_argument,
    told_of,
    tried,
)
from app.cli.subscription_steering import COMMANDS
from app.cli.subscriptions_text import subscriptions_table
from app.feed.merging import LARGEST_BATCH
from app.subscriptions.desk import NOW
from app.subscriptions.subscription import DEFAULT_BATCH, Subscription
from app.subscriptions.subscriptions import TooManySubscriptions
from app.subscriptions.wish import Wish

subscriptions_cli = AppGroup("subscriptions", help="Services that are told of changes by webhook.")
for _command in COMMANDS:
    subscriptions_cli.add_command(_command)

_types = click.option(
    "--type", "types", metavar="TYPE", multiple=True, help="Such as members.*; all, if left out."
)
_cohorts = click.option(
    "--cohort", "cohorts", metavar="ID|NAME", multiple=True, help="Ids, or patterns of names (VIP*)."
)


@subscriptions_cli.command("list", with_appcontext=False)
@project_option
@json_option
def list_(project_id: str | None, as_json: bool) -> None:
    """List the subscriptions: a line for each of their projects."""
    with opened(as_json=as_json) as services:
        chosen = set(chosen_projects(services.settings, project_id))
        found = [seen for seen in services.desk.all() if chosen & set(seen.wanted.projects)]
        told = told_of(services, found)
        now_ms = int(services.redis.time()[0]) * 1000
    if as_json:
        print_json({"ok": True, "subscriptions": told})
    elif found:
        click.echo(subscriptions_table(found, told, now_ms, project_id))
    else:
        click.echo("No subscriptions yet; make one with: flask subscriptions create --url URL")


@subscriptions_cli.command("show", with_appcontext=False)
@subscription_id_argument
@json_option
def show(subscription_id: str, as_json: bool) -> None:
    """Show what one wants, and how it stands."""
    with opened(as_json=as_json) as services:
        print_subscription(services, subscription_id, as_json=as_json)


@subscriptions_cli.command("create", with_appcontext=False)
@click.option("--url", required=True, help="Where messages are posted to.")
@click.option(
    "--project", "projects", metavar="ID", multiple=True, help="May be given several times; default: all."
)
@_types
@_cohorts
@click.option("--batch", type=click.IntRange(1, LARGEST_BATCH), default=DEFAULT_BATCH, show_default=True)
@click.option("--rate", type=float, default=0.0, help="Messages a second at most; default: no limit.")
@click.option("--description", default="", help="For people.")
@click.option(
    "--from", "start", default=NOW, show_default=True, help="now, oldest, a sequence, an event's id."
)
@json_option
def create(projects: tuple[str, ...], start: str, as_json: bool, **wish: Any) -> None:
    """Subscribe a service; the secret with which messages are signed is shown this once."""
    with opened(as_json=as_json) as services, audited(services, "subscriptions create") as note:
        for each in projects:
            chosen_projects(services.settings, each)
        try:
            made = tried(
                lambda: services.desk.create(
                    Wish(**wish), projects or tuple(services.settings.projects), start
                ),
                as_json=as_json,
            )
        except TooManySubscriptions:
            end(["There are 5,000 subscriptions, as many as there may be; delete some."], as_json=as_json)
        wanted, secret = made
        note.resources["subscription_id"] = wanted.id
    if as_json:
        print_json({"ok": True, "subscription_id": wanted.id, "secret": secret.reveal()})
        return
    click.echo(secret.reveal())
    click.echo(f"This is shown once. Subscription {wanted.id} is made.", err=True)


@subscriptions_cli.command("change", with_appcontext=False)
@subscription_id_argument
@click.option("--url", help="Where messages are posted to.")
@_types
@click.option("--all-types", is_flag=True, help="Of whatever type.")
@_cohorts
@click.option("--all-cohorts", is_flag=True, help="Of whatever cohort.")
@click.option("--batch", type=click.IntRange(1, LARGEST_BATCH))
@click.option("--rate", type=float, help="0: no limit.")
@click.option("--description")
@json_option
def change(subscription_id: str, *, all_types: bool, all_cohorts: bool, as_json: bool, **chosen: Any) -> None:
    """Choose anew what one wants; what is left out stays."""
    if (all_types and chosen["types"]) or (all_cohorts and chosen["cohorts"]):
        raise click.UsageError("Name some, or want all; both at once cannot be.")
    chosen = {name: value for name, value in chosen.items() if value not in (None, ())}
    chosen |= {name: () for name, all_ in (("types", all_types), ("cohorts", all_cohorts)) if all_}
    with (
        opened(as_json=as_json) as services,
        audited(services, "subscriptions change", subscription_id=clean(subscription_id)),
    ):
        wanted = find_subscription(services, subscription_id, as_json=as_json).wanted
        wish = replace(_wish_of(wanted), **chosen)
        tried(lambda: services.desk.change(wanted, wish), as_json=as_json)
        print_subscription(services, subscription_id, as_json=as_json)


@subscriptions_cli.command("delete", with_appcontext=False)
@subscription_id_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def delete(subscription_id: str, *, yes: bool, as_json: bool) -> None:
    """Forget one. A message that is on its way may still arrive."""
    if as_json and not yes:
        raise click.UsageError("With --json nothing can be asked: give --yes.")
    with opened(as_json=as_json) as services:
        wanted = find_subscription(services, subscription_id, as_json=as_json).wanted
        if not yes:
            click.confirm(f"Delete subscription {wanted.id} to {clean(wanted.url)}?", abort=True, err=True)
        with audited(services, "subscriptions delete", subscription_id=wanted.id):
            services.desk.delete(wanted)
    if as_json:
        print_json({"ok": True, "subscription_id": wanted.id})
    else:
        click.echo(f"Subscription {wanted.id} is deleted.")


def _wish_of(wanted: Subscription) -> Wish:
    return Wish(
        url=wanted.url,
        types=sorted(wanted.types),
        cohorts=wanted.cohorts,
        batch=wanted.batch,
        rate=wanted.rate,
        description=wanted.description,
    )
