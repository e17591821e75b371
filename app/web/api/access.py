"""Who calls, and whether they may: the bearer token, its scope, its project.

The checks stand in this order: shutting down 503, token 401, scope 403, project 404. A project that is not
configured and one that the token is not for are answered alike: a token's holder learns of no other project.
Nobody guesses 256 bits. Wrong tokens are limited all the same, by the address that they come from: to keep
the noise down. A right one is let through whatever came before, so nobody can lock somebody else out.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from flask import Response, g, request

from app.access.failed_logins import FailedLogins
from app.access.scopes import Scope
from app.access.token import Token
from app.access.tokens import Tokens
from app.web.api.auditing import begin_entry
from app.web.api.kinds import (
    BAD_TOKEN,
    EXPIRED_TOKEN,
    NO_SCOPE,
    NO_TOKEN,
    SHUTTING_DOWN,
    TOO_MANY_FAILED,
    UNKNOWN_PROJECT,
    Kind,
)
from app.web.api.log import begin_line, drop_line, fields
from app.web.api.problems import Problem
from app.web.client import client_address
from app.web.draining import Draining
from app.web.login.session import holder
from app.web.wrong_tokens import count_wrong
from config.projects import Projects

View = Callable[..., Response]
ACCESS: Final = "cohort_relay.access"
"""Where an application has its own, in `extensions`."""
_CHALLENGE = 'Bearer realm="cohort-relay"'


@dataclass(frozen=True)
class Access:
    """Lets requests through to their views, or not.

    Attributes:
        tokens: those that there are.
        projects: those that are configured.
        failed_logins: those that came with a wrong one.
        trusted_proxies: how many stand before us.
        draining: whether the process is ending.
        now_ms: the time.
    """

    tokens: Tokens
    failed_logins: FailedLogins
    trusted_proxies: int
    projects: Projects
    draining: Draining
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    def guard(self, view: View, needed: Scope, *, unconfigured: bool = False, session: bool = False) -> View:
        """Return a view that is entered only by those who may.

        Args:
            view: to enter.
            needed: the scope.
            unconfigured: let it be about projects that are not configured, too.
            session: let a browser in that is logged in.
        """

        def guarded(**arguments: Any) -> Response:
            begin_line()
            token = self._caller(session=session)
            self._admit(token, needed, arguments.get("project_id"), unconfigured=unconfigured)
            return view(**arguments)

        return guarded

    def enter(self, needed: str, project_id: str) -> None:
        """Let the request go on, for a view that finds out by itself what it needs.

        Raises:
            Problem: whoever calls may not.
        """
        begin_line()
        self._admit(self._caller(session=False), needed, project_id, unconfigured=False)

    def _caller(self, *, session: bool) -> Token:
        if self.draining.begun:
            raise Problem(SHUTTING_DOWN, "The relay is restarting; send the same again.")
        authorization = request.headers.get("Authorization", "")
        logged_in = holder(self.tokens) if session and not authorization else None
        return logged_in or self._authenticate(authorization)

    def _admit(self, token: Token, needed: str, project_id: str | None, *, unconfigured: bool) -> None:
        g.token = token
        fields()["caller"] = token.id
        begin_entry(token, needed)
        if not token.allows(needed):
            headers = {"WWW-Authenticate": f'{_CHALLENGE}, error="insufficient_scope", scope="{needed}"'}
            raise Problem(NO_SCOPE, f"This needs the scope {needed}.", headers=headers)
        known = project_id in self.projects or unconfigured
        if project_id is not None and not (known and token.reaches(project_id)):
            raise Problem(UNKNOWN_PROJECT, "There is no project with this id that this token reaches.")
        if project_id is not None:
            fields()["project"] = project_id

    def _authenticate(self, authorization: str) -> Token:
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            self._hold_up()
            raise _unauthorized(NO_TOKEN, "There is no bearer token in the header Authorization.")
        token = self.tokens.find(text.strip())
        if token is None:
            self._count_failed()
            raise _unauthorized(BAD_TOKEN, "There is no such token; it may have been revoked.")
        now_ms = self.now_ms()
        if token.expired(now_ms):
            self._hold_up()
            raise _unauthorized(EXPIRED_TOKEN, f"The token {token.id} has expired.")
        self.tokens.note_use(token, now_ms)
        return token

    def _hold_up(self) -> None:
        """Refuse who brings no valid token, where too many wrong ones came from."""
        retry_after_s = self.failed_logins.held_up(client_address(request, self.trusted_proxies))
        if retry_after_s is not None:
            raise _too_many(retry_after_s)

    def _count_failed(self) -> None:
        """Count a wrong token. Their calls have no lines of their own: one line a minute tells how many."""
        drop_line()
        retry_after_s = count_wrong(self.failed_logins, client_address(request, self.trusted_proxies))
        if retry_after_s is not None:
            raise _too_many(retry_after_s)


def caller() -> Token:
    """Return the token of the request that is being answered."""
    return cast("Token", g.token)


def _too_many(retry_after_s: float) -> Problem:
    detail = "Too many wrong tokens came from this address; correct yours."
    return Problem(TOO_MANY_FAILED, detail, retry_after_s=retry_after_s)


def _unauthorized(kind: Kind, detail: str) -> Problem:
    # RFC 6750: who brought no token is told no error, only how to come.
    error = "" if kind is NO_TOKEN else f', error="invalid_token", error_description="{kind.title}"'
    return Problem(kind, detail, headers={"WWW-Authenticate": _CHALLENGE + error})
