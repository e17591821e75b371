"""The commands of `flask mixpanel`: a group for each family, and those that belong to none."""

from collections.abc import Mapping

import click

from app.cli.mixpanel.calls import endpoint_command
from app.cli.mixpanel.exporting import export_command
from app.cli.mixpanel.looking import budget, list_
from app.cli.mixpanel.raw import raw
from app.mixpanel.catalog.catalog import CATALOG, of_family
from app.mixpanel.catalog.families import FAMILIES, Family
from app.mixpanel.catalog.row import Endpoint


class FamilyGroup(click.Group):
    """Hold a command for each endpoint of a family, made when it is wanted."""

    def __init__(self, family: Family) -> None:
        super().__init__(family.name, help=f"{family.title}.")
        self._family = family.name

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the endpoints' names, in the catalog's order."""
        del ctx
        return [row.name for row in of_family(self._family)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Make the command of an endpoint."""
        del ctx
        row = CATALOG.get((self._family, cmd_name))
        return command_of(row) if row else None


def command_of(row: Endpoint) -> click.Command:
    """Make the command of a row; the raw export has one of its own."""
    return export_command(row) if row.key == ("export", "events") else endpoint_command(row)


def commands() -> Mapping[str, click.Command]:
    """Make what `flask mixpanel` offers."""
    families = [FamilyGroup(family) for family in FAMILIES.values()]
    return {str(one.name): one for one in (list_, budget, raw, *families)}
