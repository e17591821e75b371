"""`/login` and `/logout`."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from flask import Blueprint, Response, request
from structlog.stdlib import get_logger

from app.access.failed_logins import FailedLogins
from app.access.token import Token
from app.access.tokens import Tokens
from app.web.client import client_address
from app.web.login.forgery import FORGED, refuse_forged
from app.web.login.guard import LOGIN, local, to_login
from app.web.login.session import begin, end, holder, now_ms
from app.web.pages.shell import Refused, page, page_blueprint, see
from app.web.wrong_tokens import count_wrong

MOST_FORM_BYTES: Final = 10_000
_TOO_OLD: Final = "The form was too old, or cookies are off in this browser. Try again."
log = get_logger(__name__)


@dataclass(frozen=True)
class Login:
    """The two addresses, and what they need.

    Attributes:
        tokens: those that there are.
        failed_logins: counts the wrong ones, with those of the API.
        trusted_proxies: how many stand before us.
    """

    tokens: Tokens
    failed_logins: FailedLogins
    trusted_proxies: int

    def blueprint(self) -> Blueprint:
        """Return the routes to register."""
        blueprint = page_blueprint("login", MOST_FORM_BYTES)
        blueprint.add_url_rule(LOGIN, "show", self.show, methods=["GET"])
        blueprint.add_url_rule(LOGIN, "enter", self.enter, methods=["POST"])
        blueprint.add_url_rule("/logout", "leave", self.leave, methods=["POST"])
        return blueprint

    def show(self) -> Response:
        """Show the form; whoever is logged in is sent on."""
        wanted = local(request.args.get("next", ""))
        return see(wanted) if holder(self.tokens) else _form(wanted)

    def enter(self) -> Response:
        """Log in with the token that the form has."""
        wanted = local(request.form.get("next", ""))
        try:
            refuse_forged()
            text = request.form.get("token", "").strip()
            token = self._authenticate(text)
        except FORGED:
            return _form(wanted, _TOO_OLD, HTTPStatus.BAD_REQUEST)
        except Refused as refused:
            return _form(wanted, refused.message, refused.status, refused.retry_after_s)
        begin(token, text)
        log.info("login", caller=token.id)
        return see(wanted)

    def leave(self) -> Response:
        """Log out."""
        refuse_forged()
        token = holder(self.tokens)
        if token is not None:
            log.info("logout", caller=token.id)
        end()
        return to_login()

    def _authenticate(self, text: str) -> Token:
        if not text:
            raise Refused(HTTPStatus.UNAUTHORIZED, "Type a token in.")
        token = self.tokens.find(text)
        if token is None:
            retry_after_s = count_wrong(self.failed_logins, client_address(request, self.trusted_proxies))
            if retry_after_s is None:
                raise Refused(HTTPStatus.UNAUTHORIZED, "There is no such token; it may have been revoked.")
            raise Refused(
                HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong tokens came from this address.", retry_after_s
            )
        if token.expired(now_ms()):
            raise Refused(HTTPStatus.UNAUTHORIZED, f"The token {token.id} has expired.")
        if not token.allows("read"):
            raise Refused(HTTPStatus.FORBIDDEN, "This token may hand data in, and may not look at anything.")
        return token


def _form(
    wanted: str, wrong: str = "", status: int = HTTPStatus.OK, retry_after_s: float | None = None
) -> Response:
    return page("login.html", status, retry_after_s=retry_after_s, wanted=wanted, wrong=wrong)
