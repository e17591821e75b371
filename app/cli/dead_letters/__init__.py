"""`flask dead-letters ...`: what could not be delivered, and what to do with it (docs/dead-letters.md)."""

from flask.cli import AppGroup

from app.cli.dead_letters.discarding import discard
from app.cli.dead_letters.looking import export, list_, show
from app.cli.dead_letters.redriving import redrive

dead_letters_cli = AppGroup("dead-letters", help="What could not be delivered, and what to do with it.")
for _command in (list_, show, redrive, discard, export):
    dead_letters_cli.add_command(_command)
