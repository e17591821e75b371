"""What the commands of `flask subscriptions` share: find one, print it, say what cannot be had."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from app.cli.formatting import clean
from app.cli.opening import end, print_json
from app.cli.subscriptions_text import fields_text
from app.services import Services
from app.status.subscribers import told_subscription
from app.subscriptions.desk import Seen
from app.subscriptions.wish import InvalidWish

_T = TypeVar("_T")
subscription_id_argument = click.argument("subscription_id", metavar="ID")


def print_subscription(services: Services, subscription_id: str, *, as_json: bool) -> None:
    """Print what one wants, and how it stands; where there is none, the command ends."""
    seen = find_subscription(services, subscription_id, as_json=as_json)
    (told,) = told_of(services, [seen])
    if as_json:
        print_json({"ok": True, "subscription": told})
    else:
        click.echo(fields_text(seen, told))


def told_of(services: Services, found: Sequence[Seen]) -> list[dict[str, Any]]:
    """Return them as JSON tells them."""
    behind = services.desk.distance()
    return [told_subscription(seen, behind) for seen in found]


def find_subscription(services: Services, subscription_id: str, *, as_json: bool) -> Seen:
    """Return the one with this id; where there is none, the command ends."""
    seen = services.desk.see(subscription_id)
    if seen is None:
        end([unknown_subscription(subscription_id)], as_json=as_json)
    return seen


def unknown_subscription(subscription_id: str) -> str:
    """Say that there is none."""
    return f"There is no subscription {clean(subscription_id)}; `flask subscriptions list` shows all."


def tried(act: Callable[[], _T], *, as_json: bool) -> _T:
    """Do something; where it cannot be had, say why and end the command."""
    try:
        return act()
    except InvalidWish as error:
        end([str(error)], as_json=as_json)
