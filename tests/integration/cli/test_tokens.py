"""`flask tokens` over a real Redis."""

import re

import pytest

from .relay import SHOP, Relay


def make(relay: Relay, *options: str) -> str:
    """Make a token and return its text."""
    return str(relay.json("tokens", "create", "--name", "orders", "--scope", "ingest", *options)["token"])


def now_ms(relay: Relay) -> int:
    return int(relay.services.redis.time()[0]) * 1000


def test_a_token_is_shown_once_and_works(relay: Relay) -> None:
    result = relay.flask("tokens", "create", "--name", "orders", "--scope", "ingest", "--scope", "read")
    assert result.exit_code == 0
    text = result.stdout.strip()
    token = relay.services.tokens.find(text)
    assert token
    assert (token.name, token.scopes, token.project_id, token.expires_ms) == (
        "orders",
        ("read", "ingest"),
        None,
        None,
    )
    assert "shown once" in result.stderr
    for command in (("tokens", "list"), ("tokens", "list", "--json")):
        shown = relay.flask(*command).output
        assert token.id in shown
        assert text not in shown
        assert text.rpartition("_")[2] not in shown


def test_what_it_is_for_stands_in_the_list(relay: Relay) -> None:
    make(relay, "--project", SHOP, "--expires", "90d")
    (listed,) = relay.json("tokens", "list")["tokens"]
    assert (listed["name"], listed["scopes"], listed["project_id"]) == ("orders", ["ingest"], SHOP)
    assert listed["expires_ms"] - listed["created_ms"] == 90 * 24 * 3_600_000
    assert listed["used_ms"] is None
    assert not listed["expired"]
    line = relay.flask("tokens", "list").output.splitlines()[-1]
    assert SHOP in line
    assert line.rstrip().endswith("never")


def test_a_token_may_name_endpoints_of_mixpanel_that_there_are(relay: Relay) -> None:
    make(
        relay,
        "--scope",
        "mixpanel:query.*",
        "--scope",
        "mixpanel:export.events",
        "--scope",
        "mixpanel:budget",
    )
    (listed,) = relay.json("tokens", "list")["tokens"]
    assert listed["scopes"] == ["ingest", "mixpanel:budget", "mixpanel:export.events", "mixpanel:query.*"]
    for unknown in ("mixpanel:query.funels", "mixpanel:quer.*", "mixpanel:*", "mixpanel:budget.*", "all"):
        result = relay.flask("tokens", "create", "--name", "orders", "--scope", unknown)
        assert result.exit_code == 2
        assert f"{unknown} is none of read, operate, ingest, admin" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("expires", "expected_s"),
    [("2099-01-31", 4_073_500_800), ("2099-01-31T12:00+02:00", 4_073_500_800 + 10 * 3600)],
)
def test_an_expiry_may_be_a_date(relay: Relay, expires: str, expected_s: int) -> None:
    make(relay, "--expires", expires)
    assert relay.json("tokens", "list")["tokens"][0]["expires_ms"] == expected_s * 1000


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--name", "x"), "--scope"),
        (("--scope", "read"), "--name"),
        (("--name", " ", "--scope", "read"), "--name"),
        (("--name", "x", "--scope", "write"), "--scope"),
        (("--name", "x", "--scope", "read", "--project", "9999"), "--project"),
        (("--name", "x", "--scope", "read", "--expires", "soon"), "--expires"),
        (("--name", "x", "--scope", "read", "--expires", "0d"), "--expires"),
        (("--name", "x", "--scope", "read", "--expires", "2001-01-01"), "--expires"),
    ],
)
def test_a_wrong_option_is_named_and_makes_nothing(
    relay: Relay, options: tuple[str, ...], named: str
) -> None:
    result = relay.flask("tokens", "create", *options)
    assert result.exit_code == 2
    assert named in result.stderr
    assert relay.services.tokens.all() == []


@pytest.mark.parametrize("whole", [True, False])
def test_a_revoked_token_is_gone(relay: Relay, *, whole: bool) -> None:
    text = make(relay)
    named = text if whole else text.split("_")[1]
    assert relay.flask("tokens", "revoke", named).exit_code == 0
    assert relay.services.tokens.find(text) is None
    assert relay.json("tokens", "list")["tokens"] == []
    again = relay.json("tokens", "revoke", named, status=1)
    assert "flask tokens list" in again["problems"][0]
    assert text not in str(again)


def test_an_expired_token_is_shown_as_such(relay: Relay) -> None:
    relay.services.tokens.create("old", ["read"], 0, expires_ms=now_ms(relay) - 1000)
    assert re.search(r"EXPIRED \d+ s ago", relay.flask("tokens", "list").output)
    assert relay.json("tokens", "list")["tokens"][0]["expired"]


def test_without_tokens_the_list_says_how_to_make_one(relay: Relay) -> None:
    assert "flask tokens create" in relay.flask("tokens", "list").output


def test_a_name_from_outside_cannot_write_on_the_terminal(relay: Relay) -> None:
    relay.flask("tokens", "create", "--name", "a\x1b[2Jb\nc", "--scope", "read")
    assert relay.json("tokens", "list")["tokens"][0]["name"] == "a [2Jb c"


def test_a_redis_that_is_away_is_one_sentence_and_status_1(relay: Relay) -> None:
    result = relay.flask("tokens", "list", REDIS_URL="redis://127.0.0.1:1/0")
    assert result.exit_code == 1
    assert "cannot be reached" in result.stderr


def rotated(relay: Relay, text: str, *options: str) -> str:
    """Rotate a token and return its new text."""
    return str(relay.json("tokens", "rotate", text.split("_")[1], *options)["token"])


def test_a_rotated_token_has_two_secrets_for_a_while(relay: Relay) -> None:
    old = make(relay, "--project", SHOP, "--expires", "90d")
    before = relay.services.tokens.find(old)
    new = rotated(relay, old)
    found = relay.services.tokens.find(new)
    by_old = relay.services.tokens.find(old)
    assert before
    assert found
    assert by_old
    assert (found.id, found.scopes, found.project_id) == (before.id, before.scopes, SHOP)
    assert found.expires_ms == before.expires_ms
    assert by_old.by_old
    assert 86_000_000 < (by_old.expires_ms or 0) - now_ms(relay) <= 86_401_000
    assert new.split("_")[2] not in relay.flask("tokens", "list").output


def test_the_old_secret_is_told_to_have_expired_when_the_overlap_is_over(relay: Relay) -> None:
    old = make(relay)
    rotated(relay, old, "--overlap", "0h")
    found = relay.services.tokens.find(old)
    assert found
    assert found.expired(now_ms(relay) + 1_000)


def test_an_overlap_never_outlives_the_token(relay: Relay) -> None:
    old = make(relay, "--expires", "1h")
    rotated(relay, old, "--overlap", "7d")
    found = relay.services.tokens.find(old)
    assert found
    assert 0 < (found.expires_ms or 0) - now_ms(relay) <= 3_601_000


def test_the_secret_before_the_old_one_is_gone(relay: Relay) -> None:
    first = make(relay)
    second = rotated(relay, first)
    third = rotated(relay, first)
    assert relay.services.tokens.find(first) is None
    assert relay.services.tokens.find(second)
    assert relay.services.tokens.find(third)


def test_the_list_says_whether_the_old_secret_is_still_used(relay: Relay) -> None:
    old = make(relay)
    new = rotated(relay, old)
    assert re.search(r"until .* UTC, used never", relay.flask("tokens", "list").output)
    for text in (old, new):
        token = relay.services.tokens.find(text)
        assert token
        relay.services.tokens.note_use(token, now_ms(relay))
    (listed,) = relay.json("tokens", "list")["tokens"]
    assert listed["old_used_ms"]
    assert listed["used_ms"]
    rotated(relay, old)
    assert relay.json("tokens", "list")["tokens"][0]["old_used_ms"] is None


def test_a_revoked_token_is_gone_with_both_secrets(relay: Relay) -> None:
    old = make(relay)
    new = rotated(relay, old)
    relay.json("tokens", "revoke", new)
    assert relay.services.tokens.find(old) is None
    assert relay.services.tokens.find(new) is None


def test_what_cannot_be_rotated_is_a_sentence(relay: Relay) -> None:
    assert "flask tokens list" in relay.json("tokens", "rotate", "nothing", status=1)["problems"][0]
    token, _ = relay.services.tokens.create("old", ["read"], 0, expires_ms=now_ms(relay) - 1000)
    assert "flask tokens create" in relay.json("tokens", "rotate", token.id, status=1)["problems"][0]
    assert relay.flask("tokens", "rotate", token.id, "--overlap", "soon").exit_code == 2
