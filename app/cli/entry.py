"""What `flask` loads (FLASK_APP in `.flaskenv`): the commands alone, without settings, Redis or routes.

`flask config check` must say what is wrong with the settings and `flask doctor` that Redis is away, so
neither may be needed to get there: each command loads the settings itself. Web servers use `wsgi.py`, which
needs them and stops without. The web application in turn has no commands: it must never import the sandbox.
"""

from flask import Flask
from werkzeug.utils import import_string

from app.cli import COMMANDS

NOT_HERE = "These are the commands only; start the web server with `make run` or `gunicorn wsgi:app`.\n"


def create_cli_app() -> Flask:
    """Make an application that carries the commands."""
    app = Flask("cohort_relay", static_folder=None)
    for path in COMMANDS:
        app.cli.add_command(import_string(path))
    app.before_request(lambda: (NOT_HERE, 503))  # what somebody sees who tried `flask run`
    return app
