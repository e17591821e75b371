"""`flask tokens ...`: who may use the API."""

import re
from datetime import UTC, datetime
from typing import Any, Final

import click
from flask.cli import AppGroup

from app.access.scopes import BUDGET, SCOPES, is_of_gateway
from app.access.token import Token, id_of, is_id
from app.access.tokens import TooManyTokens
from app.cli.auditing import audited
from app.cli.formatting import ago, clean, moment, table
from app.cli.opening import chosen_projects, end, json_option, opened, print_json, project_option

tokens_cli = AppGroup("tokens", help="The tokens with which services use the API (docs/api.md).")

_LONGEST_NAME: Final = 100
_UNITS_MS: Final = {"h": 3_600_000, "d": 24 * 3_600_000, "w": 7 * 24 * 3_600_000}


class Expiry(click.ParamType[tuple[int, str]]):
    """A length of time from now, or a day or moment (UTC unless it says otherwise)."""

    name = "WHEN"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, str]:
        """Return a number of milliseconds, and whether it is `in` so many or `at` so many."""
        if found := re.fullmatch(r"([1-9]\d{0,5})([hdw])", value):
            return int(found[1]) * _UNITS_MS[found[2]], "in"
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(
                f"{value} is neither a time such as 12h, 90d, 4w nor a date such as 2030-01-31", param, ctx
            )
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000), "at"


class GrantedScope(click.ParamType[str]):
    """A scope: one of the relay's own, or of Mixpanel's endpoints, which has to be in the catalog."""

    name = "SCOPE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return it as it is."""
        text = str(value)
        if text not in SCOPES and not (is_of_gateway(text) and _is_known(text)):
            known = f"{', '.join(SCOPES)}, and no mixpanel:FAMILY.ENDPOINT or mixpanel:FAMILY.*"
            self.fail(f"{text} is none of {known} of what `flask mixpanel list` shows", param, ctx)
        return text


class Overlap(click.ParamType[int]):
    """A length of time, also none; a number of milliseconds."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return it in milliseconds."""
        found = re.fullmatch(r"(\d{1,5})([mhdw])", str(value))
        if found is None:
            self.fail(f"{value} is no time such as 0h, 30m, 24h, 7d", param, ctx)
        return int(found[1]) * {"m": 60_000, **_UNITS_MS}[found[2]]


@tokens_cli.command("create", with_appcontext=False)
@click.option("--name", required=True, help="Who uses it, and for what.")
@click.option(
    "--scope",
    "scopes",
    required=True,
    multiple=True,
    type=GrantedScope(),
    help="May be given several times.",
)
@project_option
@click.option("--expires", type=Expiry(), help="12h, 90d, 4w from now, or 2030-01-31. Default: never.")
@json_option
def create(
    name: str,
    scopes: tuple[str, ...],
    project_id: str | None,
    expires: tuple[int, str] | None,
    as_json: bool,
) -> None:
    """Make a token, and show it this once."""
    wanted = clean(name.strip(), _LONGEST_NAME)
    if not wanted:
        raise click.BadParameter("must not be empty", param_hint="--name")
    with (
        opened(as_json=as_json) as services,
        audited(services, "tokens create", project_id=project_id) as note,
    ):
        chosen_projects(services.settings, project_id)
        now_ms = _now_ms(services.redis.time())
        expires_ms = _expires_ms(expires, now_ms)
        try:
            token, text = services.tokens.create(
                wanted, scopes, now_ms, project_id=project_id, expires_ms=expires_ms
            )
        except TooManyTokens:
            end(["There are as many tokens as there may be; revoke some: flask tokens list"], as_json=as_json)
        note.resources["token_id"] = token.id
    if as_json:
        print_json({"ok": True, "token": text.reveal(), **_told(token)})
        return
    click.echo(text.reveal())
    click.echo(f"This is shown once. Token {token.id}: {_summary(token)}.", err=True)


@tokens_cli.command("list", with_appcontext=False)
@json_option
def list_(as_json: bool) -> None:
    """List the tokens; what they look like is not known any more."""
    with opened(as_json=as_json) as services:
        found = services.tokens.all()
        now_ms = _now_ms(services.redis.time())
    if as_json:
        print_json(
            {"ok": True, "tokens": [{**_told(each), "expired": each.expired(now_ms)} for each in found]}
        )
    elif found:
        click.echo(tokens_table(found, now_ms))
    else:
        click.echo("No tokens yet; make one with: flask tokens create --name NAME --scope SCOPE")


@tokens_cli.command("revoke", with_appcontext=False)
@click.argument("token_id", metavar="ID")
@json_option
def revoke(token_id: str, as_json: bool) -> None:
    """Refuse a token from now on. ID is its id, or the token itself."""
    token_id = id_of(token_id) or token_id
    with opened(as_json=as_json) as services, audited(services, "tokens revoke", token_id=_shown(token_id)):
        if not services.tokens.revoke(token_id):
            end([_unknown(token_id)], as_json=as_json)
    if as_json:
        print_json({"ok": True, "revoked": token_id})
    else:
        click.echo(f"Token {token_id} is revoked.")


@tokens_cli.command("rotate", with_appcontext=False)
@click.argument("token_id", metavar="ID")
@click.option(
    "--overlap", type=Overlap(), default="24h", show_default=True, help="How long the old secret stays valid."
)
@json_option
def rotate(token_id: str, overlap: int, as_json: bool) -> None:
    """Give a token a new secret, and show it this once; the old one stays valid for a while.

    ID is its id, or the token itself. What the token may do, its project and its expiry stay.
    """
    token_id = id_of(token_id) or token_id
    with opened(as_json=as_json) as services, audited(services, "tokens rotate", token_id=_shown(token_id)):
        now_ms = _now_ms(services.redis.time())
        token = services.tokens.get(token_id)
        if token and token.expired(now_ms):
            end([f"Token {token_id} has expired; make a new one: flask tokens create"], as_json=as_json)
        old_until_ms = now_ms + overlap
        text = services.tokens.rotate(token_id, old_until_ms) if token else None
        if token is None or text is None:
            end([_unknown(token_id)], as_json=as_json)
    if as_json:
        told = {**_told(token), "old_until_ms": old_until_ms, "old_used_ms": None}
        print_json({"ok": True, "token": text.reveal(), **told})
        return
    click.echo(text.reveal())
    old = f"is valid until {moment(old_until_ms)}" if overlap else "is not valid any more"
    click.echo(f"This is shown once. Token {token_id}: {_summary(token)}. Its old secret {old}.", err=True)


def _is_known(scope: str) -> bool:
    """Say whether a scope for Mixpanel's endpoints names one that there is."""
    from app.mixpanel.catalog.catalog import CATALOG  # noqa: PLC0415 - only who grants these pays for it

    family, _, name = scope.removeprefix("mixpanel:").partition(".")
    if name in ("", "*"):
        return scope == BUDGET or any(key[0] == family for key in CATALOG)
    return (family, name) in CATALOG


def _unknown(token_id: str) -> str:
    return f"There is no token {clean(token_id)}; `flask tokens list` shows all."


def _shown(token_id: str) -> str:
    """Return an id fit to be kept: what was typed may be anything, a mistyped secret too."""
    return token_id if is_id(token_id) else "?"


def tokens_table(tokens: list[Token], now_ms: int) -> str:
    """Return a line a token."""
    rows = (
        (
            token.id,
            clean(token.name),
            ", ".join(token.scopes),
            token.project_id or "all",
            ago(token.created_ms, now_ms),
            _expiry(token, now_ms),
            ago(token.used_ms, now_ms),
            _old_secret(token, now_ms),
        )
        for token in tokens
    )
    return table(("id", "name", "scopes", "project", "made", "expires", "last used", "old secret"), rows)


def _old_secret(token: Token, now_ms: int) -> str:
    if token.old_until_ms is None or token.old_until_ms <= now_ms:
        return ""
    return f"until {moment(token.old_until_ms)}, used {ago(token.old_used_ms, now_ms)}"


def _expiry(token: Token, now_ms: int) -> str:
    return f"EXPIRED {ago(token.expires_ms, now_ms)}" if token.expired(now_ms) else moment(token.expires_ms)


def _expires_ms(expires: tuple[int, str] | None, now_ms: int) -> int | None:
    if expires is None:
        return None
    value_ms, kind = expires
    expires_ms = now_ms + value_ms if kind == "in" else value_ms
    if expires_ms <= now_ms:
        raise click.BadParameter("lies in the past", param_hint="--expires")
    return expires_ms


def _summary(token: Token) -> str:
    where = f"project {token.project_id}" if token.project_id else "all projects"
    until = f"until {moment(token.expires_ms)}" if token.expires_ms else "does not expire"
    return f"{', '.join(token.scopes)}; {where}; {until}"


def _told(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "scopes": token.scopes,
        "project_id": token.project_id,
        "created_ms": token.created_ms,
        "expires_ms": token.expires_ms,
        "used_ms": token.used_ms,
        "old_until_ms": token.old_until_ms,
        "old_used_ms": token.old_used_ms,
    }


def _now_ms(redis_time: tuple[int, int]) -> int:
    return redis_time[0] * 1000 + redis_time[1] // 1000
