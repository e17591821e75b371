"""The audit log of commands, and the commands that show it."""

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

import click
import orjson
import pytest
import redis

from app.access.audit import Actor, Entry, Written
from app.access.operator import operator
from app.cli.auditing import audited
from app.cli.entry import create_cli_app

from .relay import SHOP, Relay

LOOKING = {
    *("list", "show", "export", "members", "status", "doctor", "check", "routes", "run", "shell"),
    *("silent", "plan", "compare", "erasures", "deliveries"),
}
"""Last words of commands that change nothing. Those of the sandbox change the sandbox only."""
NOT_OURS = ("sandbox", "mixpanel")
"""Those of Mixpanel's API are made of its catalog, and have tests of their own for what is recorded."""


def commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        whole = f"{path} {name}".strip()
        if isinstance(command, click.Group):
            yield from commands(command, whole)
        else:
            yield whole, command


def entries(relay: Relay) -> list[Written]:
    return list(relay.services.audit.all())


def test_every_command_looks_only_or_is_recorded_under_its_name() -> None:
    for path, command in commands(create_cli_app().cli):
        if path.split()[-1] in LOOKING or path.startswith(NOT_OURS):
            continue
        assert command.callback
        module = importlib.import_module(command.callback.__module__)
        group, _, word = path.rpartition(" ")
        written = rf'audited\(.*, f?"{group} ({word}[ "]|{{)'
        assert re.search(written, inspect.getsource(module)), path


def test_what_was_made_rotated_and_revoked_is_recorded_with_who(relay: Relay) -> None:
    made = relay.json("tokens", "create", "--name", "orders", "--scope", "read", "--project", SHOP)
    relay.json("tokens", "rotate", made["id"])
    relay.json("tokens", "revoke", made["id"])
    relay.json("tokens", "revoke", made["id"], status=1)
    relay.json("tokens", "revoke", "a-mistyped-secret", status=1)
    found = [each.entry for each in entries(relay)]
    assert [(each.action, each.outcome, each.status) for each in reversed(found)] == [
        ("flask tokens create", "ok", 0),
        ("flask tokens rotate", "ok", 0),
        ("flask tokens revoke", "ok", 0),
        ("flask tokens revoke", "failed", 1),
        ("flask tokens revoke", "failed", 1),
    ]
    assert found[-1].resources == {"project_id": SHOP, "token_id": made["id"]}
    assert found[0].resources == {"token_id": "?"}
    assert {each.actor for each in found} == {operator()}
    assert "orders" not in str(found)


def test_what_is_refused_aborted_or_breaks_is_recorded_too(relay: Relay) -> None:
    for error, outcome, status in (
        (click.UsageError("no"), "refused", 2),
        (click.Abort(), "aborted", 1),
        (RuntimeError("a fault"), "failed", 1),
        (SystemExit(0), "ok", 0),
    ):
        with pytest.raises(type(error)), audited(relay.services, "x", project_id=SHOP, lane=None):
            raise error
        entry = entries(relay)[0].entry
        assert (entry.outcome, entry.status, entry.resources) == (outcome, status, {"project_id": SHOP})


def test_a_command_is_done_also_where_it_cannot_be_recorded(
    relay: Relay, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        mock.patch.object(relay.services.audit, "write", side_effect=redis.ConnectionError),
        audited(relay.services, "x"),
    ):
        pass
    assert "could not be written" in capsys.readouterr().err


def test_discarding_dead_letters_and_the_quarantine_is_recorded(relay: Relay) -> None:
    relay.json("dead-letters", "discard", "--all", "--yes")
    relay.json("quarantine", "discard", "--all", "--yes")
    relay.json("dead-letters", "redrive", "1-1", "not-an-id", status=1)
    found = [each.entry for each in entries(relay)]
    assert [each.action for each in reversed(found)] == [
        "flask dead-letters discard",
        "flask quarantine discard",
        "flask dead-letters redrive",
    ]
    assert (found[0].resources, found[0].status) == ({"letter_id": "1-1"}, 1)


def test_who_became_root_with_sudo_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "ada")
    assert operator().name.endswith("(sudo by ada)")


def test_the_log_is_listed_and_exported(relay: Relay) -> None:
    for number in range(3):
        entry = Entry(Actor("token", f"t{number}", "orders"), "POST /x", {"project_id": SHOP}, "ok", 200)
        relay.services.audit.write(entry)
    told = relay.json("audit", "list", "--limit", "2")
    assert [each["actor"]["id"] for each in told["entries"]] == ["t2", "t1"]
    lines = relay.flask("audit", "export", "--actor", "t1", "--project", SHOP).stdout.splitlines()
    assert [orjson.loads(line) for line in lines] == [told["entries"][1]]
    table = relay.flask("audit", "list", "--action", "post").stdout
    assert "token t0" in table
    assert "ok (200)" in table
    assert "No entries" in relay.flask("audit", "list", "--log", "ingest").stdout
    assert "No entries" in relay.flask("audit", "list", "--older-than", "1h").stdout


def test_an_export_shows_how_far_it_has_looked(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        entry = Entry(Actor("token", f"t{number}", "orders"), "POST /x", {"project_id": SHOP}, "ok", 200)
        relay.services.audit.write(entry)
    looked: list[int] = []

    @contextmanager
    def progress(label: str, total: int, *, hidden: bool) -> Iterator[Callable[[int], None]]:
        looked.append(-total)
        yield looked.append

    monkeypatch.setattr("app.cli.audit.progress", progress)
    assert len(relay.flask("audit", "export", "--actor", "t1").stdout.splitlines()) == 1
    assert looked == [-5, 1, 1, 1, 1, 1]
