"""`flask subscriptions` over a real Redis, with a receiver that answers."""

from collections.abc import Iterator
from typing import Any

import pytest
from standardwebhooks import Webhook

from app.feed.position import Position
from app.lanes.work import WEBHOOKS
from app.subscriptions.subscription import Subscription
from app.subscriptions.subscriptions import Subscriptions
from config.secret import Secret
from tests.integration.subscriptions.receiver import Receiver, plainly, receiving
from tests.waiting import wait_until

from .relay import SHOP, Relay

ALLOWED: dict[str, Any] = {"SUBSCRIBER_HTTP": "true", "SUBSCRIBER_NETWORKS": "127.0.0.0/8"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(plainly()) as found:
        yield found


def made(relay: Relay, receiver: Receiver, *options: str) -> dict[str, Any]:
    return relay.json("subscriptions", "create", "--url", receiver.url(), *options, **ALLOWED)


def shown(relay: Relay, subscription_id: str) -> dict[str, Any]:
    told: dict[str, Any] = relay.json("subscriptions", "show", subscription_id)["subscription"]
    return told


def test_a_subscription_is_made_shown_changed_and_deleted_and_its_secret_told_once(
    relay: Relay, receiver: Receiver
) -> None:
    assert "No subscriptions yet" in relay.flask("subscriptions", "list").stdout
    result = relay.flask(
        *("subscriptions", "create", "--url", receiver.url(), "--type", "members.*", "--cohort", "VIP*"),
        **ALLOWED,
    )
    assert result.exit_code == 0, result.output
    secret = result.stdout.strip()
    assert secret.startswith("whsec_")
    (listed,) = relay.json("subscriptions", "list")["subscriptions"]
    found = listed["id"]
    for output in (
        relay.flask("subscriptions", "list").stdout,
        relay.flask("subscriptions", "show", found).stdout,
        str(listed),
        str(relay.json("audit", "list")),
    ):
        assert secret not in output
    assert receiver.url() in relay.flask("subscriptions", "show", found).stdout
    assert listed["types"] == [f"cohort-relay.members.{each}" for each in ("entered", "exited", "updated")]

    told = relay.json("subscriptions", "change", found, "--rate", "5", "--all-types", **ALLOWED)
    assert (told["subscription"]["rate"], told["subscription"]["types"]) == (5.0, [])
    assert told["subscription"]["cohorts"] == ["VIP*"]
    assert relay.flask("subscriptions", "delete", found).exit_code == 1, "nobody says yes"
    assert relay.json("subscriptions", "delete", found, "--yes")["ok"]
    assert relay.json("subscriptions", "show", found, status=1)["problems"]
    actions = [entry["action"] for entry in relay.json("audit", "list")["entries"]]
    assert actions == [f"flask subscriptions {each}" for each in ("delete", "change", "create")]


def test_what_cannot_be_had_is_said_in_words(relay: Relay, receiver: Receiver) -> None:
    refused = relay.json("subscriptions", "create", "--url", receiver.url(), status=1)
    assert refused["problems"] == ["url: must be a URL that begins with https://"]
    no_type = relay.flask("subscriptions", "create", "--url", receiver.url(), "--type", "nothing", **ALLOWED)
    assert (no_type.exit_code, "there are no events of this type" in no_type.stderr) == (1, True)
    assert (
        relay.flask("subscriptions", "create", "--url", "https://x.example", "--project", "9").exit_code == 2
    )


def test_a_test_message_is_signed_and_its_outcome_is_the_status(relay: Relay, receiver: Receiver) -> None:
    subscription = made(relay, receiver)
    result = relay.flask("subscriptions", "test", subscription["subscription_id"], **ALLOWED)
    assert (result.exit_code, "Taken: answered 204" in result.stdout) == (0, True)
    head, _, body = receiver.requests[0].partition(b"\r\n\r\n")
    headers = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n")[1:])
    assert Webhook(subscription["secret"]).verify(body, headers)["type"] == "cohort-relay.test"
    result = relay.flask("subscriptions", "test", subscription["subscription_id"])
    assert (result.exit_code, "NOT taken" in result.stdout) == (1, True), "the address is not allowed here"


def test_it_is_paused_resumed_rotated_and_moved(relay: Relay, receiver: Receiver) -> None:
    found = made(relay, receiver)["subscription_id"]
    for _ in range(3):
        relay.services.changelog.append(SHOP, "sync.completed", {}, "7", "VIP")
    text = relay.flask("subscriptions", "pause", found, "--why", "main\x1btenance").stdout
    assert "paused by" in text
    assert "main tenance" in text
    assert "paused for" in relay.flask("subscriptions", "list").stdout
    assert "3 entries not told" in relay.flask("subscriptions", "show", found).stdout
    assert relay.flask("subscriptions", "resume", found).exit_code == 0
    assert shown(relay, found)["projects"][0]["state"] == "active"
    assert relay.json("subscriptions", "rotate-secret", found, "--overlap", "1h")["secret"]
    assert shown(relay, found)["secrets"] == 2

    skipped = relay.flask("subscriptions", "redeliver", found, "--from", "now")
    assert (skipped.exit_code, shown(relay, found)["projects"][0]["behind"]) == (1, 3), "nobody says yes"
    assert relay.json("subscriptions", "redeliver", found, "--from", "now", "--yes")["project_id"] == SHOP
    assert shown(relay, found)["projects"][0]["behind"] == 0
    assert relay.json("subscriptions", "redeliver", found, "--from", "1")["ok"]
    assert shown(relay, found)["projects"][0]["behind"] == 2
    assert relay.json("subscriptions", "redeliver", found, "--from", "no place", status=1)["problems"]
    assert "No request" in relay.flask("subscriptions", "deliveries", found).stdout


def test_what_is_sent_shows_in_status_and_deliveries(relay: Relay, receiver: Receiver) -> None:
    running = Relay({**relay.environ, **ALLOWED})
    try:
        made(running, receiver)
        found = running.json("subscriptions", "list")["subscriptions"][0]["id"]
        running.services.changelog.append(SHOP, "sync.completed", {}, "7", "VIP")
        running.services.lanes.sweep_all({SHOP: (WEBHOOKS,)})
        running.run_lane("webhooks")
        wait_until(lambda: shown(running, found)["projects"][0]["taken"], 5, "it is sent")
        (delivery,) = running.json("subscriptions", "deliveries", found)["deliveries"]
        assert (delivery["status"], delivery["type"]) == (204, "cohort-relay.sync.completed")
        assert "answered 204" in running.flask("subscriptions", "deliveries", found).stdout
        (project,) = running.json("status")["status"]["projects"]
        assert (project["subscribers"]["states"], project["subscribers"]["behind"]) == ({"active": 1}, 0)
        assert project["subscribers"]["counts"]["taken"] == 1
        assert "SUBSCRIPTIONS" in running.flask("status").stdout
    finally:
        running.close()


def test_two_who_change_one_at_once_lose_nothing(relay: Relay, receiver: Receiver) -> None:
    found = made(relay, receiver)["subscription_id"]
    subscriptions = Subscriptions(relay.services.redis)
    interrupted: list[Secret | None] = []

    def change(wanted: Subscription) -> Subscription:
        if not interrupted:
            interrupted.append(subscriptions.rotate(wanted, 2**50))
        return wanted

    changed = subscriptions.edit(found, change)
    assert changed
    assert changed.signing[0].secret.reveal() == (interrupted[0] or Secret("")).reveal()
    assert subscriptions.edit("nobody", change) is None


def test_a_project_that_is_deleted_takes_its_subscriptions_along(relay: Relay, receiver: Receiver) -> None:
    subscriptions = Subscriptions(relay.services.redis)
    one = subscriptions.get(made(relay, receiver)["subscription_id"])
    assert one
    two = Subscription("two", "https://x.example", (SHOP, "7"), one.signing, 1)
    subscriptions.create(two, {SHOP: Position("", 0), "7": Position("", 0)})
    assert relay.json("projects", "delete", SHOP, "--yes", "--although-configured")["ok"]
    assert [each.projects for each in subscriptions.all()] == [("7",)]
