"""A group whose commands are made when one of them is wanted."""

from collections.abc import Mapping
from typing import cast

import click
from werkzeug.utils import import_string


class LazyGroup(click.Group):
    """Hold commands that are made on first use.

    Args:
        name: Of the group.
        source: `module:name` of a function that returns the commands by their names.
        help: One line.
    """

    def __init__(self, name: str, source: str, *, help: str) -> None:  # noqa: A002 - click's own name
        super().__init__(name, help=help)
        self._source = source

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands' names, in the order in which they are shown."""
        del ctx
        return list(self._made())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None."""
        del ctx
        return self._made().get(cmd_name)

    def _made(self) -> Mapping[str, click.Command]:
        if not self.commands:
            self.commands = dict(cast("Mapping[str, click.Command]", import_string(self._source)()))
        return self.commands
