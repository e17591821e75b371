"""Whether a project's credentials can be what they should be. None of them is shown, or sent anywhere."""

import re
from collections.abc import Iterator
from typing import Final

from app.status.checks import Check
from config.projects import Project

_TOKEN = re.compile(r"[0-9a-f]{32}").fullmatch
_ACCOUNT_ENDS: Final = ".mp-service-account"
SHORT_PASSWORD: Final = 12


def credential_checks(project: Project) -> Iterator[Check]:
    """Look at a project's token, service account and webhook credentials."""
    yield _token(project)
    yield _account(project)
    yield _webhook(project)


def _token(project: Project) -> Check:
    if _TOKEN(project.token.reveal()):
        return Check("token", "ok", "set, and of a token's form", project_id=project.id)
    advice = "compare it with Mixpanel: Settings > Project Settings; a wrong token is not always refused"
    return Check("token", "warn", "set, but not 32 hexadecimal digits", advice, project.id)


def _account(project: Project) -> Check:
    name = "service account"
    if project.service_account is None:
        return Check(name, "ok", "none; delivering to profiles needs the token only", project_id=project.id)
    if not project.service_account.username.endswith(_ACCOUNT_ENDS):
        advice = f"compare it with Mixpanel: the username ends in {_ACCOUNT_ENDS}"
        return Check(name, "warn", "set, but its username looks like something else", advice, project.id)
    return Check(name, "ok", "set", project_id=project.id)


def _webhook(project: Project) -> Check:
    credentials = project.webhook_credentials
    if not credentials:
        advice = "set a webhook credential; without one every page is refused with 401"
        return Check("webhook", "fail", "no credential", advice, project.id)
    short = [each for each in credentials if len(each.password.reveal()) < SHORT_PASSWORD]
    if short:
        found = f"a password of less than {SHORT_PASSWORD} characters"
        advice = "take a long random one: whoever guesses it can send members; several can be valid meanwhile"
        return Check("webhook", "warn", found, advice, project.id)
    number = f"{len(credentials)} credential{'' if len(credentials) == 1 else 's'}"
    return Check("webhook", "ok", number, project_id=project.id)
