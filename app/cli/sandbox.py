"""`flask sandbox ...`: the sandbox's own commands under Flask's command line."""

from flask.cli import AppGroup

from app.sandbox.commands import COMMANDS

sandbox_cli = AppGroup("sandbox", help="Mixpanel on a laptop: run it, look at it, break it.")
for _command in COMMANDS:
    sandbox_cli.add_command(_command)
