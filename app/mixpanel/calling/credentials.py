"""Which credential a call is made with, and where in the request it goes."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from app.mixpanel.answers import Redact, redactor
from app.mixpanel.calling.failures import CallFailed
from app.mixpanel.calling.problems import PROBLEMS
from app.mixpanel.catalog.row import CredentialKind
from config.projects import Project

SECRET_RETIRES: Final = date(2027, 3, 3)
_FIELDS: Final[dict[CredentialKind, str]] = {
    "service_account": "service_account",
    "project_token": "token",
    "project_secret": "project_secret (deprecated)",
    "oauth": "oauth_token",
    "signature": "api_key and project_secret",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The credential of a call.

    Attributes:
        kind: Which.
        auth: Basic-auth username and password, or None.
        bearer: OAuth token, or None.
        key: API key and secret that sign the request, or None.
        warning: What the caller has to be told; empty: nothing.
    """

    kind: CredentialKind
    auth: tuple[str, str] | None = field(default=None, repr=False)
    bearer: str | None = field(default=None, repr=False)
    key: tuple[str, str] | None = field(default=None, repr=False)
    warning: str = ""


def choose(
    project: Project,
    accepted: Sequence[CredentialKind],
    where: str,
    *,
    wanted: CredentialKind | None = None,
    token_in_request: bool = False,
    today: date | None = None,
) -> Chosen:
    """Take the best credential that the endpoint accepts and the project has.

    Args:
        project: Whose.
        accepted: Kinds, the best first.
        where: The endpoint, for the error.
        wanted: The caller's own choice.
        token_in_request: The token stands in the body or the query, and so not in Basic auth.
        today: For tests.

    Raises:
        CallFailed: There is none.
    """
    kinds = [kind for kind in accepted if wanted in (None, kind)]
    # A deprecated credential never goes before one that is not, whatever the row's order says.
    for kind in sorted(kinds, key=lambda kind: kind == "project_secret"):
        if chosen := _of(project, kind, token_in_request=token_in_request, today=today):
            return chosen
    if not kinds:
        details = f"It does not take {wanted}; it takes {', '.join(accepted)}."
    else:
        details = f"One of: {', '.join(_FIELDS[kind] for kind in kinds if kind in _FIELDS)}."
    raise CallFailed(PROBLEMS["credential_missing"], where, details=details)


def redactor_of(project: Project) -> Redact:
    """Make the function that takes a project's secrets out of a text, also as Basic auth writes them."""
    account, token, secret = project.service_account, project.token, project.project_secret
    plain = [each.reveal() for each in (token, project.oauth_token, secret, project.api_key) if each]
    basic = [f"{each.reveal()}:" for each in (token, secret) if each]
    if account:
        plain.append(account.secret.reveal())
        basic.append(f"{account.username}:{account.secret.reveal()}")
    return redactor(*plain, *(b64encode(each.encode()).decode() for each in basic))


def retirement(today: date | None = None) -> str:
    """Say that project secrets go away."""
    verb = "retires" if (today or date.today()) < SECRET_RETIRES else "retired"  # noqa: DTZ011 - a day is enough
    return f"Mixpanel {verb} project secrets on 3 March 2027: configure a service account (service_account)."


def _of(
    project: Project, kind: CredentialKind, *, token_in_request: bool, today: date | None
) -> Chosen | None:
    secret, account = project.project_secret, project.service_account
    found: Chosen | None = None
    if kind == "none":
        found = Chosen(kind)
    elif kind == "project_token":
        found = Chosen(kind, auth=None if token_in_request else (project.token.reveal(), ""))
    elif kind == "service_account" and account:
        found = Chosen(kind, auth=(account.username, account.secret.reveal()))
    elif kind == "oauth" and project.oauth_token:
        found = Chosen(kind, bearer=project.oauth_token.reveal())
    elif kind == "project_secret" and secret:
        found = Chosen(kind, auth=(secret.reveal(), ""), warning=retirement(today))
    elif kind == "signature" and secret and project.api_key:
        found = Chosen(kind, key=(project.api_key.reveal(), secret.reveal()), warning=retirement(today))
    return found
