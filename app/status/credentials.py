"""Whether a project's credentials can be what they should be. None of them is shown, or sent anywhere."""

import re
from collections.abc import Iterator
from typing import Final

from app.status.checks import Check
from config.projects import Project
from config.rules import RuleSet

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
    """Say also what the project's rules need it for: profiles and groups take the token only."""
    name = "service account"
    imported = " and ".join(_imported(project.rules))
    if project.service_account is None:
        found = f"none; {imported} are imported with the token" if imported else "none, and no rule needs one"
        return Check(name, "ok", f"{found}; only merging identities takes one", project_id=project.id)
    if not project.service_account.username.endswith(_ACCOUNT_ENDS):
        advice = f"compare it with Mixpanel: the username ends in {_ACCOUNT_ENDS}"
        return Check(name, "warn", "set, but its username looks like something else", advice, project.id)
    if any(link.verb == "merge" for rule in project.rules.rules for link in rule.links):
        return Check(name, "ok", "set; rules merge identities, which takes one", project_id=project.id)
    found = f"set; imports {imported}" if imported else "set; for what services submit, no rule needs it"
    return Check(name, "ok", found, project_id=project.id)


def _imported(rules: RuleSet) -> Iterator[str]:
    if rules.has_events:
        yield "events"
    if rules.has_links:
        yield "links"


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
