"""Saved funnels and reports: Mixpanel's pages are where people make them, here it is done over HTTP."""

from collections.abc import Callable

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue

from app.sandbox.api.desk.asked import MistakeError
from app.sandbox.api.reports.saved import Saved
from app.sandbox.inspection import input as given
from app.sandbox.machine import machine_of
from app.sandbox.store.documents import Document

blueprint = Blueprint("reports", __name__)


@blueprint.get("/funnels")
def funnels() -> ResponseReturnValue:
    """List the saved funnels."""
    return jsonify(funnels=machine_of(current_app).saved.funnels())


@blueprint.post("/funnels")
def add_funnel() -> ResponseReturnValue:
    """Save a funnel: `name`, `events` in order, `length` and `length_unit` (14 days if not given)."""
    wanted = given.body()
    name, unit = given.text(wanted, "name"), given.text(wanted, "length_unit", "day")
    length = int(given.number(wanted, "length") or 14)
    return _saved(lambda saved: saved.add_funnel(name, given.strings(wanted, "events"), length, unit))


@blueprint.get("/reports")
def reports() -> ResponseReturnValue:
    """List the saved reports."""
    return jsonify(reports=machine_of(current_app).saved.reports())


@blueprint.post("/reports")
def add_report() -> ResponseReturnValue:
    """Save an Insights report: `name`, `events`, `days` (30 if not given) and `type` (or general)."""
    wanted = given.body()
    name, kind = given.text(wanted, "name"), given.text(wanted, "type", "general")
    days = int(given.number(wanted, "days") or 30)
    return _saved(lambda saved: saved.add_report(name, given.strings(wanted, "events"), days, kind))


def _saved(save: Callable[[Saved], Document]) -> ResponseReturnValue:
    try:
        return jsonify(save(machine_of(current_app).saved)), 201
    except MistakeError as err:
        raise given.InputError(str(err)) from err
