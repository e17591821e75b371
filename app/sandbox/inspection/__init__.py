"""`/sandbox/...`: look at the state and turn the knobs. JSON; for local use, hence without credentials."""

from flask import Flask

from app.sandbox.inspection import (
    activity,
    cohorts,
    controls,
    events,
    groups,
    identity,
    profiles,
    reports,
    syncing,
)
from app.sandbox.inspection.input import register_errors


def register_inspection(app: Flask) -> None:
    """Add the inspection routes to a sandbox's app."""
    for module in (activity, cohorts, controls, events, groups, identity, profiles, reports, syncing):
        app.register_blueprint(module.blueprint, url_prefix="/sandbox")
    register_errors(app)
