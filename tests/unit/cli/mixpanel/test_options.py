"""Every row of the catalog becomes a command whose options lead back to the row's parameters."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from app.cli.mixpanel import mixpanel_cli
from app.cli.mixpanel.calls import deletes, may_delete
from app.cli.mixpanel.commands import command_of
from app.cli.mixpanel.naming import flag, offered
from app.cli.mixpanel.options import PREFIX, arguments_of, bytes_of, options_of, takes_several
from app.mixpanel.catalog.catalog import CATALOG
from app.mixpanel.catalog.row import Endpoint, Parameter

ROWS = list(CATALOG.values())
ids = [f"{row.family}.{row.name}" for row in ROWS]
DECIDED = {"Content-Type", "Content-Encoding", "Accept-Encoding"}


def text_for(parameter: Parameter) -> list[str]:
    name = flag(parameter.name)
    if parameter.type == "boolean":
        return [name]
    value = str(parameter.enum[0]) if parameter.enum else '["x"]' if parameter.type == "array" else "1"
    return [name, value]


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_each_parameter_has_one_option_and_each_option_leads_back_to_it(row: Endpoint) -> None:
    left = {one.name for one in row.parameters if one.filled is None and one.name not in DECIDED}
    assert left <= {one.name for one in offered(row)}
    line = [word for one in offered(row) for word in text_for(one)]
    command = click.Command("x", params=[*options_of(row)])
    given = command.make_context("x", line).params
    assert set(arguments_of(row, given)) == {one.name for one in offered(row)}


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_no_two_options_of_a_command_are_called_alike(row: Endpoint) -> None:
    command = command_of(row)
    called = [name for one in command.params for name in (*one.opts, *one.secondary_opts)]
    assert sorted(called) == sorted(set(called))
    names = [one.name for one in command.params]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_help_says_what_is_required_and_what_may_be_chosen(row: Endpoint) -> None:
    told = " ".join(CliRunner().invoke(command_of(row), ["--help"], terminal_width=400).output.split())
    assert row.summary in told
    assert row.docs in told
    for one, option in zip(offered(row), options_of(row), strict=True):
        assert ("[required" in (option.help or "")) == (one.required and one.default is None)
        if one.enum and one.type != "boolean":
            assert isinstance(option.type, click.Choice)
            assert option.type.choices == tuple(dict.fromkeys(map(str, one.enum)))
        assert option.multiple == (takes_several(one) and one.type != "boolean")


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_what_the_configuration_knows_is_no_option(row: Endpoint) -> None:
    filled = {one.name for one in row.parameters if one.filled}
    command = command_of(row)
    assert not {flag(name) for name in filled} & {opt for one in command.params for opt in one.opts}


def test_all_endpoints_and_no_others_are_commands() -> None:
    context = click.Context(mixpanel_cli)
    found = set()
    for family in mixpanel_cli.list_commands(context):
        group = mixpanel_cli.get_command(context, family)
        if isinstance(group, click.Group):
            found |= {(family, name) for name in group.list_commands(context)}
            assert group.get_command(context, "nothing") is None
    assert found == set(CATALOG)


def test_several_values_are_a_list_and_one_may_be_json() -> None:
    row = CATALOG["export", "events"]
    (place,) = [number for number, one in enumerate(offered(row)) if one.name == "event"]

    def event(*values: str) -> object:
        return arguments_of(row, {f"{PREFIX}{place}": values})["event"]

    assert event("A", "B") == ["A", "B"]
    assert event("A") == ["A"]
    assert event('["A"]') == '["A"]'


def test_a_value_comes_from_a_file_where_an_at_stands_before_it(tmp_path: Path) -> None:
    (tmp_path / "script.js").write_text("function main() {}")
    assert bytes_of(f"@{tmp_path}/script.js") == b"function main() {}"
    assert bytes_of("@@home") == b"@home"
    assert bytes_of("a@b") == b"a@b"
    with pytest.raises(click.BadParameter, match="none: No such file"):
        bytes_of(f"@{tmp_path}/none")


def test_what_deletes_is_known_and_what_does_not_asks_nothing() -> None:
    asking = {row.key for row in ROWS if deletes(row, {})}
    assert asking == {
        ("ingestion", "profile-delete"),
        ("ingestion", "group-delete"),
        ("pipelines", "delete"),
        ("lexicon", "delete-all"),
        ("lexicon", "delete-entity"),
        ("lexicon", "delete"),
        ("annotations", "delete"),
        ("gdpr", "create-deletion"),
        ("warehouse", "delete"),
        ("service-accounts", "delete"),
        ("experiments", "delete"),
        ("feature-flags", "delete"),
    }
    sometimes = {row.key for row in ROWS if may_delete(row)} - asking
    assert sometimes == {
        ("ingestion", "profile-batch"),
        ("ingestion", "group-batch"),
        ("lexicon", "replace-many"),
    }
    assert deletes(CATALOG["ingestion", "profile-batch"], {}, b'[{"$delete": ""}]')
    assert not deletes(CATALOG["ingestion", "profile-batch"], {}, b'[{"$set": {}}]')
