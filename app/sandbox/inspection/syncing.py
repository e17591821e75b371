"""The sender: sync now, churn now, pause and resume."""

from dataclasses import asdict

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue

from app.sandbox.inspection import input as given
from app.sandbox.machine import machine_of

blueprint = Blueprint("syncing", __name__)


@blueprint.post("/sync")
def sync() -> ResponseReturnValue:
    """Sync now and answer when done: `{"cohort_id", "full", "wait"}`.

    Without `cohort_id`, every cohort in turn; `full` exports whole cohorts (`members`); with `wait` false,
    the next round (churn included) is due at once and the answer does not wait for it.
    """
    machine, wanted = machine_of(current_app), given.body()
    if wanted.get("wait") is False:
        machine.rounds.ask()
        return jsonify(asked=True), 202
    cohort_id = given.number(wanted, "cohort_id")
    chosen = [cohort.cohort_id for cohort in machine.cohorts.all()] if cohort_id is None else [int(cohort_id)]
    results = [machine.sync.run(one, full=wanted.get("full") is True) for one in chosen]
    return jsonify(syncs=[result.to_json() for result in results])


@blueprint.post("/churn")
def churn() -> ResponseReturnValue:
    """Run a round of churn now: `{"share"}`, the part of each cohort that is exchanged."""
    machine = machine_of(current_app)
    share = given.number(given.body(), "share")
    churned = machine.churn.run(machine.controls.churn if share is None else share)
    return jsonify(churned=[asdict(one) for one in churned])


@blueprint.post("/cohorts/<int:cohort_id>/pause")
def pause(cohort_id: int) -> ResponseReturnValue:
    """Pause a cohort's sync: `{"reason"}`."""
    machine = machine_of(current_app)
    machine.cohorts.get(cohort_id)
    machine.cohorts.pause(cohort_id, given.text(given.body(), "reason", "paused by hand"))
    return jsonify(cohort_id=cohort_id, paused=True)


@blueprint.post("/cohorts/<int:cohort_id>/resume")
def resume(cohort_id: int) -> ResponseReturnValue:
    """Take a pause back; the next round syncs again."""
    machine = machine_of(current_app)
    machine.cohorts.get(cohort_id)
    machine.cohorts.pause(cohort_id, None)
    return jsonify(cohort_id=cohort_id, paused=False)


@blueprint.post("/cohorts/<int:cohort_id>/forget-snapshot")
def forget_snapshot(cohort_id: int) -> ResponseReturnValue:
    """Drop the snapshot: the next sync is a first one again."""
    machine = machine_of(current_app)
    machine.cohorts.get(cohort_id)
    machine.snapshots.forget(cohort_id)
    return jsonify(cohort_id=cohort_id, snapshot_ms=None)
