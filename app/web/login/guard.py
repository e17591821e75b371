"""Let in whoever is logged in and may."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from flask import Response, g, request

from app.access.scopes import Scope
from app.access.token import Token
from app.access.tokens import Tokens
from app.web.api.auditing import begin_entry
from app.web.api.kinds import NO_SCOPE
from app.web.api.log import fields
from app.web.login.forgery import refuse_forged
from app.web.login.session import holder
from app.web.pages.shell import HOME, Refused, see

View = Callable[..., Response]
LOGIN: Final = "/login"


@dataclass(frozen=True)
class Guard:
    """Guards pages.

    Attributes:
        tokens: those that there are.
    """

    tokens: Tokens

    def __call__(self, view: View, needed: Scope, *, of_all_projects: bool = False) -> View:
        """Return a view that is entered by holders of a scope only; others are asked to log in.

        Args:
            view: to guard. What changes something has to come from a form of ours, and is audited.
            needed: the scope.
            of_all_projects: whether a token of one project does not do.
        """

        def guarded(**arguments: Any) -> Response:
            token = holder(self.tokens)
            if token is None:
                return to_login()
            refuse_forged()
            g.token = token
            begin_entry(token, needed)
            _admit(token, needed, of_all_projects=of_all_projects)
            return view(**arguments)

        guarded.scope = needed  # type: ignore[attr-defined]  # read by a test
        return guarded


def to_login() -> Response:
    """Send the browser to the login, and from there to where it wanted to go."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else HOME
    return see(f"{LOGIN}?{urlencode({'next': wanted})}")


def local(target: str) -> str:
    """Return the address within this site that is meant; of any other, where everybody begins."""
    parts = urlsplit(target) if target.isprintable() and "\\" not in target else None
    if parts is None or parts.scheme or parts.netloc or not target.startswith("/") or target.startswith("//"):
        return HOME
    return target


def _admit(token: Token, needed: Scope, *, of_all_projects: bool) -> None:
    missing = "" if token.allows(needed) else f"This needs a token with the scope {needed}."
    if not missing and of_all_projects and token.project_id is not None:
        missing = "This needs a token that is for all projects."
    if missing:
        fields().update(outcome=NO_SCOPE.code)
        raise Refused(NO_SCOPE.status, missing)
