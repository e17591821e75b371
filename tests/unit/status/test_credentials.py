from dataclasses import replace

from app.status.credentials import credential_checks
from config.projects import HOSTS, Credential, Project, ServiceAccount
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


def test_without_a_webhook_credential_no_page_can_come() -> None:
    assert verdicts(replace(GOOD, webhook_credentials=()))["webhook"] == "fail"


def test_a_short_webhook_password_among_several_is_told() -> None:
    two = (*GOOD.webhook_credentials, Credential("old", Secret("short")))
    assert verdicts(replace(GOOD, webhook_credentials=two))["webhook"] == "warn"
