from dataclasses import replace

import pytest

from app.status.credentials import credential_checks
from config.events import Event
from config.links import LinkRule
from config.projects import HOSTS, Credential, Project, ServiceAccount
from config.rules import Rule, RuleSet
from config.secret import Secret

GOOD = Project(
    id="1001",
    name="Shop",
    region="us",
    token=Secret("0123456789abcdef" * 2),
    hosts=HOSTS["us"],
    webhook_credentials=(Credential("mixpanel", Secret("a-long-password")),),
    service_account=ServiceAccount("relay.12ab.mp-service-account", Secret("hush")),
)

EVENT = Event("Left", {})
ALIAS = LinkRule("alias", "{distinct_id}", "{member[email]}")


def verdicts(project: Project) -> dict[str, str]:
    return {check.name: check.verdict for check in credential_checks(project)}


def test_good_credentials_are_fine() -> None:
    assert set(verdicts(GOOD).values()) == {"ok"}


def test_a_token_of_another_form_is_told_without_showing_it() -> None:
    wrong = replace(GOOD, token=Secret("not-a-token"))
    assert verdicts(wrong)["token"] == "warn"
    assert not any("not-a-token" in check.reason for check in credential_checks(wrong))


def test_a_service_account_is_optional_but_its_name_has_a_form() -> None:
    assert verdicts(replace(GOOD, service_account=None))["service account"] == "ok"
    wrong = replace(GOOD, service_account=ServiceAccount("somebody@example.com", Secret("hush")))
    assert verdicts(wrong)["service account"] == "warn"
    assert not any("somebody" in check.reason for check in credential_checks(wrong))


@pytest.mark.parametrize(
    ("rule", "without", "with_one"),
    [
        (Rule(), "none, and no rule needs one; only merging", "set; for what services submit, no rule"),
        (Rule(exit_event=EVENT), "none; events are imported with the token; only m", "set; imports events"),
        (Rule(links=(ALIAS,)), "none; links are imported with the token; only merg", "set; imports links"),
        (
            Rule(enter_event=EVENT, links=(ALIAS,)),
            "none; events and links are imported with the token; only merging identities takes one",
            "set; imports events and links",
        ),
    ],
)
def test_what_a_service_account_is_for_follows_from_the_rules(
    rule: Rule, without: str, with_one: str
) -> None:
    for account, expected in ((None, without), (GOOD.service_account, with_one)):
        project = replace(GOOD, service_account=account, rules=RuleSet((rule,)))
        (check,) = [each for each in credential_checks(project) if each.name == "service account"]
        assert check.verdict == "ok"
        assert check.found.startswith(expected)


def test_rules_that_merge_need_it() -> None:
    merging = Rule(links=(LinkRule("merge", "{distinct_id}", "{member[other]}", allow_merge=True),))
    project = replace(GOOD, id_management="original", rules=RuleSet((merging,)))
    (check,) = [each for each in credential_checks(project) if each.name == "service account"]
    assert check.found == "set; rules merge identities, which takes one"


def test_without_a_webhook_credential_no_page_can_come() -> None:
    assert verdicts(replace(GOOD, webhook_credentials=()))["webhook"] == "fail"


def test_a_short_webhook_password_among_several_is_told() -> None:
    two = (*GOOD.webhook_credentials, Credential("old", Secret("short")))
    assert verdicts(replace(GOOD, webhook_credentials=two))["webhook"] == "warn"
