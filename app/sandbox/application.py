"""The sandbox's own Flask app."""

from typing import Any

from flask import Flask

from app.sandbox.api import routes as api
from app.sandbox.api.desk.routes import register as register_desk
from app.sandbox.config import MEBIBYTE, SandboxConfig
from app.sandbox.inspection import register_inspection
from app.sandbox.log import make_log
from app.sandbox.machine import EXTENSION, Machine
from app.sandbox.sender.transport import Transport

HARD_LIMIT_BYTES = 256 * MEBIBYTE  # protects the laptop; the documented limits are answered as documented


def create_sandbox(config: SandboxConfig, log: Any = None, transport: Transport | None = None) -> Flask:
    """Build a sandbox; its sender does not run before `machine_of(app).start()`.

    Args:
        config: What it is made of.
        log: A structlog logger; by default one that prints for people.
        transport: How pages leave; by default HTTP to the configured webhook.

    Raises:
        StateInUseError: Another sandbox runs on the data directory.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = HARD_LIMIT_BYTES
    app.config["MAX_FORM_MEMORY_SIZE"] = None
    machine = Machine(config, log or make_log(as_json=False), transport)
    app.extensions[EXTENSION] = machine
    app.register_blueprint(api.blueprint)
    register_desk(app, machine)
    register_inspection(app)
    return app
