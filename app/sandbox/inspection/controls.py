"""Faults, settings, the clock, and starting anew."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue

from app.sandbox.faults import Fault
from app.sandbox.inspection import input as given
from app.sandbox.machine import Machine, machine_of
from app.sandbox.store.meta import CLOCK_OFFSET_S

blueprint = Blueprint("controls", __name__)
FIXED = (
    "webhook_url",
    "username",
    "password",
    "timeout_s",
)  # what a connection is made of stays, as with Mixpanel


@blueprint.get("/faults")
def faults() -> ResponseReturnValue:
    """List the faults in force."""
    return jsonify(faults=[fault.to_json() for fault in machine_of(current_app).faults.active()])


@blueprint.post("/faults")
def add_fault() -> ResponseReturnValue:
    """Inject a fault (see `app.sandbox.faults`)."""
    return jsonify(machine_of(current_app).faults.add(Fault.from_json(given.body())).to_json()), 201


@blueprint.delete("/faults")
def clear_faults() -> ResponseReturnValue:
    """Take all faults back."""
    return jsonify(cleared=machine_of(current_app).faults.clear())


@blueprint.delete("/faults/<int:fault_id>")
def clear_fault(fault_id: int) -> ResponseReturnValue:
    """Take one fault back."""
    return jsonify(cleared=machine_of(current_app).faults.clear(fault_id))


@blueprint.get("/settings")
def settings() -> ResponseReturnValue:
    """Show the settings that can be changed; passwords are not shown."""
    return jsonify(_settings(machine_of(current_app)))


@blueprint.post("/settings")
def change_settings() -> ResponseReturnValue:
    """Change settings until the next start: any of `{"limits", "habits", "api", "sender", "churn"}`."""
    machine, wanted = machine_of(current_app), given.body()
    unknown = set(wanted) - {"limits", "habits", "api", "sender", "churn"}
    if unknown or any(name in FIXED for name in wanted.get("sender", {})):
        raise given.InputError(
            f"limits, habits, api, sender, churn can be changed, and of sender not {', '.join(FIXED)}"
        )
    controls = machine.controls
    limits = given.changed(controls.limits, wanted.get("limits", {}))
    habits = given.changed(controls.habits, wanted.get("habits", {}))
    api = given.changed(controls.api, wanted.get("api", {}))
    sender = given.changed(controls.sender, wanted.get("sender", {}))
    share = given.number(wanted, "churn")
    controls.limits, controls.habits, controls.api, controls.sender = limits, habits, api, sender
    controls.churn = controls.churn if share is None else share
    return jsonify(_settings(machine))


@blueprint.get("/clock")
def clock() -> ResponseReturnValue:
    """Show the sandbox's time."""
    return jsonify(_clock(machine_of(current_app)))


@blueprint.post("/clock")
def change_clock() -> ResponseReturnValue:
    """Move the sandbox's time ahead (`advance_s`) or let it run faster (`scale`)."""
    machine, wanted = machine_of(current_app), given.body()
    advance_s, scale = given.number(wanted, "advance_s"), given.number(wanted, "scale")
    if (advance_s or 0) < 0 or (scale is not None and scale <= 0):
        raise given.InputError("advance_s: not below 0; scale: above 0")
    machine.clock.advance(advance_s or 0)
    if scale is not None:
        machine.clock.set_scale(scale)
    machine.meta.set(CLOCK_OFFSET_S, machine.clock.offset_s())
    return jsonify(_clock(machine))


@blueprint.post("/reset")
def reset() -> ResponseReturnValue:
    """Start anew: people and cohorts as at first, no snapshots, faults, requests or changed settings."""
    machine = machine_of(current_app)
    with machine.sync.idle():
        machine.seeding.again()
    machine.faults.clear()
    machine.journal.clear()
    machine.api.query.sessions.clear()
    machine.controls.restore()
    return jsonify(profiles=machine.profiles.count(), cohorts=len(machine.cohorts.all()))


def _clock(machine: Machine) -> dict[str, float]:
    now_s, offset_s = machine.clock.now_s(), machine.clock.offset_s()
    return {"now_ms": int(now_s * 1000), "offset_s": round(offset_s, 3), "scale": machine.clock.scale}


def _settings(machine: Machine) -> dict[str, Any]:
    controls = machine.controls
    sender = {name: value for name, value in asdict(controls.sender).items() if name != "password"}
    return {
        "limits": asdict(controls.limits),
        "habits": asdict(controls.habits),
        "api": asdict(controls.api),
        "sender": sender,
        "churn": controls.churn,
    }
