"""Try, pause, resume and move a webhook subscription, and see what was sent: of `flask subscriptions`."""

import sys
from collections.abc import Callable
from typing import Final

import click

from app.access.operator import operator
from app.cli.auditing import audited
from app.cli.formatting import clean
from app.cli.opening import end, json_option, opened, print_json, project_option
from app.cli.subscription_finding import (
    find_subscription,
    print_subscription,
    subscription_id_argument,
    tried,
    unknown_subscription,
)
from app.cli.subscriptions_text import deliveries_table
from app.cli.tokens import Overlap
from app.services import Services
from app.status.subscribers import told_noted
from app.subscriptions.deliveries import KEPT
from app.subscriptions.desk import NOW
from app.subscriptions.subscription import Subscription

_LONGEST_WHY: Final = 200


@click.command("test")
@subscription_id_argument
@json_option
def test(subscription_id: str, as_json: bool) -> None:
    """Send a test message now; status 1 if it is not taken."""
    with (
        opened(as_json=as_json) as services,
        audited(services, "subscriptions test", subscription_id=clean(subscription_id)) as note,
    ):
        posted = services.desk.test(find_subscription(services, subscription_id, as_json=as_json).wanted)
        note.status = int(not posted.taken)
    told = {"taken": posted.taken, "status": posted.status, "reason": posted.reason}
    if as_json:
        print_json({"ok": posted.taken, **told, "ms": round(posted.seconds * 1000)})
    else:
        word = "Taken" if posted.taken else "NOT taken"
        click.echo(f"{word}: {posted.reason}, after {posted.seconds * 1000:,.0f} ms.")
    sys.exit(int(not posted.taken))


@click.command("pause")
@subscription_id_argument
@click.option("--why", default="", help="For whoever finds it paused.")
@json_option
def pause(subscription_id: str, why: str, as_json: bool) -> None:
    """Send nothing more until it is resumed; what comes meanwhile waits in the log, while that has it."""
    _steer(
        "pause",
        subscription_id,
        lambda services, wanted: services.desk.pause(wanted, operator().id, clean(why, _LONGEST_WHY)),
        as_json=as_json,
    )


@click.command("resume")
@subscription_id_argument
@json_option
def resume(subscription_id: str, as_json: bool) -> None:
    """Send again, whoever paused it; also one that has ended, or waits for its next try."""
    _steer("resume", subscription_id, lambda services, wanted: services.desk.resume(wanted), as_json=as_json)


@click.command("rotate-secret")
@subscription_id_argument
@click.option(
    "--overlap",
    "overlap_ms",
    type=Overlap(),
    default="24h",
    show_default=True,
    help="How long messages are signed with the old one, too.",
)
@json_option
def rotate_secret(subscription_id: str, overlap_ms: int, as_json: bool) -> None:
    """Give one a new secret, and show it this once."""
    with (
        opened(as_json=as_json) as services,
        audited(services, "subscriptions rotate-secret", subscription_id=clean(subscription_id)),
    ):
        wanted = find_subscription(services, subscription_id, as_json=as_json).wanted
        secret = services.desk.rotate(wanted, overlap_ms / 1000)
        if secret is None:
            end([unknown_subscription(subscription_id)], as_json=as_json)
    if as_json:
        print_json({"ok": True, "subscription_id": wanted.id, "secret": secret.reveal()})
        return
    click.echo(secret.reveal())
    click.echo("This is shown once.", err=True)


@click.command("deliveries")
@subscription_id_argument
@project_option
@click.option("--limit", type=click.IntRange(1, KEPT), default=20, show_default=True)
@json_option
def deliveries(subscription_id: str, project_id: str | None, limit: int, as_json: bool) -> None:
    """List the last requests to its receiver, the newest first."""
    with opened(as_json=as_json) as services:
        wanted = find_subscription(services, subscription_id, as_json=as_json).wanted
        found = services.desk.deliveries(wanted, _project(wanted, project_id), limit)
    if as_json:
        print_json({"ok": True, "deliveries": [told_noted(each) for each in found]})
    else:
        click.echo(deliveries_table(found) if found else "No request in the last week.")


@click.command("redeliver")
@subscription_id_argument
@click.option("--from", "start", required=True, help="An event's id, a sequence, oldest; now skips the rest.")
@project_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def redeliver(subscription_id: str, start: str, project_id: str | None, *, yes: bool, as_json: bool) -> None:
    """Tell everything behind a place again, and resume it if it is paused."""
    if start == NOW and not yes:
        if as_json:
            raise click.UsageError("With --json nothing can be asked: give --yes.")
        click.confirm("Skip what it has not been told yet?", abort=True, err=True)
    with (
        opened(as_json=as_json) as services,
        audited(services, "subscriptions redeliver", subscription_id=clean(subscription_id)) as note,
    ):
        wanted = find_subscription(services, subscription_id, as_json=as_json).wanted
        chosen = note.resources["project_id"] = _project(wanted, project_id)
        place = tried(lambda: services.desk.redeliver(wanted, chosen, start), as_json=as_json)
    if as_json:
        print_json({"ok": True, "subscription_id": wanted.id, "project_id": chosen, "from": str(place)})
    else:
        click.echo(f"Subscription {wanted.id} is told everything behind {place} of project {chosen}.")


def _steer(
    word: str, subscription_id: str, act: Callable[[Services, Subscription], None], *, as_json: bool
) -> None:
    with (
        opened(as_json=as_json) as services,
        audited(services, f"subscriptions {word}", subscription_id=clean(subscription_id)),
    ):
        act(services, find_subscription(services, subscription_id, as_json=as_json).wanted)
        print_subscription(services, subscription_id, as_json=as_json)


def _project(wanted: Subscription, project_id: str | None) -> str:
    if project_id is None and len(wanted.projects) == 1:
        return wanted.projects[0]
    if project_id not in wanted.projects:
        raise click.UsageError(f"Say which of its projects with --project: {', '.join(wanted.projects)}")
    return project_id


COMMANDS: Final = (test, pause, resume, rotate_secret, deliveries, redeliver)
