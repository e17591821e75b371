"""What a browser holds of a login: a signed cookie that names a token, without its secret.

The token is looked up with every request. So who has revoked it, or let it expire, has ended the session.
"""

import time
from datetime import timedelta
from typing import Final

from flask import Flask, request, session
from flask.sessions import SecureCookieSessionInterface

from app.access.token import Token, digest_of, mark_of
from app.access.tokens import Tokens
from app.web.client import came_by_tls

LASTS: Final = timedelta(hours=12)
COOKIE: Final = "cohort_relay_session"


class _Sessions(SecureCookieSessionInterface):
    """Flask's own, whose cookie goes back by TLS only where it came by TLS."""

    def __init__(self, trusted_proxies: int) -> None:
        self._trusted_proxies = trusted_proxies

    def get_cookie_secure(self, app: Flask) -> bool:
        """Say whether the cookie is for TLS only."""
        del app
        return came_by_tls(request, self._trusted_proxies)


def keep_sessions(app: Flask, trusted_proxies: int) -> None:
    """Let the application have sessions; no script reads their cookie, no other site's form brings it."""
    app.config.update(
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_HTTPONLY=True,
        # Not Strict: whoever follows a link in an alert would stand before the login.
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=LASTS,
        SESSION_REFRESH_EACH_REQUEST=False,
    )
    app.session_interface = _Sessions(trusted_proxies)


def begin(token: Token, text: str) -> None:
    """Begin a session with a token; nothing of the one before is left, so nobody can have prepared it."""
    session.clear()
    session.permanent = True
    session["token"] = token.id
    session["mark"] = mark_of(digest_of(text))
    session["until_ms"] = now_ms() + int(LASTS.total_seconds() * 1000)


def end() -> None:
    """End the session."""
    session.clear()


def holder(tokens: Tokens) -> Token | None:
    """Return the token that the session stands for; None, and the session ends, where it is not valid."""
    token_id, mark, until_ms = (session.get(name) for name in ("token", "mark", "until_ms"))
    if not (isinstance(token_id, str) and isinstance(mark, str) and isinstance(until_ms, int)):
        return None
    at_ms = now_ms()
    token = tokens.recall(token_id, mark) if at_ms < until_ms else None
    if token is None or token.expired(at_ms):
        end()
        return None
    tokens.note_use(token, at_ms)
    return token


def now_ms() -> int:
    """Return the time."""
    return time.time_ns() // 1_000_000
