from collections.abc import Callable
from dataclasses import replace

from app.sandbox.machine import Machine
from tests.unit.sandbox.doubles import FakeWebhook, MovedClock


def test_the_first_round_begins_as_soon_as_the_webhook_listens(
    machine: Machine, webhook: FakeWebhook
) -> None:
    webhook.up = False
    assert not machine.rounds.run_if_due()
    assert webhook.pages == []

    webhook.up = True
    before = machine.profiles.page("", 100)
    assert machine.rounds.run_if_due()
    assert machine.profiles.page("", 100) == before
    assert {page.action for page in webhook.pages} == {"members"}
    assert len(webhook.pages) == len(machine.cohorts.all())


def test_a_round_follows_every_interval_and_brings_churn(
    machine: Machine, webhook: FakeWebhook, clock: MovedClock
) -> None:
    machine.rounds.run_if_due()
    webhook.take()
    clock.advance(19)
    assert not machine.rounds.run_if_due()
    clock.advance(1)
    assert machine.rounds.run_if_due()

    assert {page.action for page in webhook.pages} == {"add_members", "remove_members"}
    assert any(page.ids for page in webhook.pages)


def test_once_a_sync_has_succeeded_a_webhook_that_is_away_makes_syncs_fail(
    machine: Machine, webhook: FakeWebhook, clock: MovedClock
) -> None:
    machine.rounds.run_if_due()
    webhook.up, webhook.rule = False, lambda _page: None
    clock.advance(20)
    machine.rounds.run_if_due()

    assert {(cohort.last_sync or {}).get("state") for cohort in machine.cohorts.all()} == {"failed"}


def test_without_the_automatic_sender_a_round_runs_only_when_asked(
    make_machine: Callable[..., Machine], webhook: FakeWebhook, clock: MovedClock
) -> None:
    machine = make_machine()
    machine.controls.sender = replace(machine.controls.sender, automatic=False)
    clock.advance(1000)
    assert not machine.rounds.run_if_due()

    machine.rounds.ask()
    assert machine.rounds.run_if_due()
    assert webhook.pages


def test_a_paused_cohort_is_left_out_of_a_round(machine: Machine, webhook: FakeWebhook) -> None:
    machine.cohorts.pause(1001, "by hand")
    machine.rounds.run_if_due()

    assert "1001" not in {page.parameters["mixpanel_cohort_id"] for page in webhook.pages}
