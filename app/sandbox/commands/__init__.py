"""The sandbox's commands, usable as `python -m app.sandbox` and as `flask sandbox`."""

import click

from app.sandbox.commands import control, events, look
from app.sandbox.commands.run import run

COMMANDS: tuple[click.Command, ...] = (run, *look.COMMANDS, *events.COMMANDS, *control.COMMANDS)


@click.group(name="sandbox")
def sandbox() -> None:
    """Mixpanel on a laptop: the ingestion API and the cohort-sync sender."""


for _command in COMMANDS:
    sandbox.add_command(_command)
