"""Put the API together."""

from collections.abc import Callable
from typing import Final

from flask import Flask

from app.web.api import (
    audit,
    consumers,
    copies,
    cursor_moving,
    dead_letter_section,
    deleting,
    erasures,
    events,
    groups,
    holding,
    identity_links,
    profiles,
    quarantine_section,
    reading_section,
    resyncs,
    rules,
    subscription_section,
)
from app.web.api.access import ACCESS, Access
from app.web.api.auditing import audit_calls
from app.web.api.errors import answer_error
from app.web.api.event_schemas import EventSchemas
from app.web.api.log import log_calls
from app.web.api.measuring import measure_calls
from app.web.api.pages import Pages
from app.web.api.problems import Problem
from app.web.api.registering import register
from app.web.api.sections import Section
from app.web.draining import Draining
from app.web.ports import WebServices
from app.web.stream import section as event_stream

SECTIONS: Final[tuple[Callable[[WebServices], Section], ...]] = (
    reading_section.section,
    event_stream.section,
    subscription_section.section,
    events.section,
    profiles.section,
    groups.section,
    identity_links.section,
    dead_letter_section.section,
    quarantine_section.section,
    resyncs.section,
    rules.section,
    copies.section,
    consumers.section,
    erasures.section,
    holding.section,
    cursor_moving.section,
    audit.section,
    deleting.section,
)


def add_api(app: Flask, services: WebServices, draining: Draining) -> None:
    """Add everything below `/api/v1`."""
    settings = services.settings
    access = Access(
        services.tokens, services.failed_logins, settings.trusted_proxies, settings.projects, draining
    )
    app.extensions[ACCESS] = access
    document = register(app, [make(services) for make in SECTIONS], access)
    app.register_blueprint(Pages(document).blueprint())
    app.register_blueprint(EventSchemas.blueprint())
    app.register_error_handler(Problem, answer_error)
    log_calls(app)
    measure_calls(app, services.recorder)
    audit_calls(app, services.audit, settings.secret_key)
