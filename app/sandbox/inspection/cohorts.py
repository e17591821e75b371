"""Cohorts: who is in them, what the sender last exported, and changing both."""

from typing import Any

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from app.sandbox.inspection import input as given
from app.sandbox.machine import Machine, machine_of
from app.sandbox.population.conditions import Condition
from app.sandbox.store.cohorts import Cohort

blueprint = Blueprint("cohorts", __name__)


@blueprint.get("/cohorts")
def every() -> ResponseReturnValue:
    """List cohorts with the sizes of membership and snapshot."""
    machine = machine_of(current_app)
    return jsonify(cohorts=[summary(machine, cohort) for cohort in machine.cohorts.all()])


@blueprint.get("/cohorts/<int:cohort_id>")
def one(cohort_id: int) -> ResponseReturnValue:
    """Show a cohort."""
    machine = machine_of(current_app)
    return jsonify(summary(machine, machine.cohorts.get(cohort_id)))


@blueprint.get("/cohorts/<int:cohort_id>/members")
def members(cohort_id: int) -> ResponseReturnValue:
    """List exactly who is in a cohort now, and who was at its last successful export."""
    machine = machine_of(current_app)
    with machine.database.reading():
        cohort = machine.cohorts.get(cohort_id)
        current = sorted(machine.population.members(cohort))
        snapshot = sorted(machine.snapshots.members(cohort_id))
    return jsonify(current=current, snapshot=None if cohort.snapshot_ms is None else snapshot)


@blueprint.post("/cohorts/<int:cohort_id>/members")
def change_members(cohort_id: int) -> ResponseReturnValue:
    """Let people enter and leave (`{"enter": [ids], "leave": [ids]}`) by changing their profiles."""
    machine = machine_of(current_app)
    cohort, wanted = machine.cohorts.get(cohort_id), given.body()
    entering, leaving = given.strings(wanted, "enter"), given.strings(wanted, "leave")
    if not cohort.conditions:
        raise given.InputError("a cohort without conditions holds everybody")
    with machine.database.transaction():
        machine.population.enter(cohort, entering)
        machine.population.leave(cohort, leaving)
    return jsonify(summary(machine, cohort))


@blueprint.post("/cohorts")
def create() -> ResponseReturnValue:
    """Define a cohort: `{"name", "description", "conditions"}`; see `Condition`; all must hold."""
    machine, wanted = machine_of(current_app), given.body()
    conditions = wanted.get("conditions", [])
    if not isinstance(conditions, list):
        raise given.InputError("conditions: must be a list")
    read = [Condition.from_json(condition) for condition in conditions]
    cohort_id = machine.cohorts.create(
        given.text(wanted, "name"), given.text(wanted, "description", ""), read
    )
    return jsonify(summary(machine, machine.cohorts.get(cohort_id))), 201


@blueprint.patch("/cohorts/<int:cohort_id>")
def edit(cohort_id: int) -> ResponseReturnValue:
    """Rename a cohort: `{"name", "description"}`, either."""
    machine, wanted = machine_of(current_app), given.body()
    cohort = machine.cohorts.get(cohort_id)
    name = given.text({"name": cohort.name} | wanted, "name")
    machine.cohorts.rename(cohort_id, name, given.text(wanted, "description", cohort.description))
    return jsonify(summary(machine, machine.cohorts.get(cohort_id)))


@blueprint.delete("/cohorts/<int:cohort_id>")
def delete(cohort_id: int) -> ResponseReturnValue:
    """Delete a cohort; the webhook hears nothing of it, as with Mixpanel."""
    machine = machine_of(current_app)
    machine.cohorts.get(cohort_id)
    machine.cohorts.remove(cohort_id)
    return jsonify(deleted=cohort_id)


@blueprint.get("/convergence")
def convergence() -> ResponseReturnValue:
    """Compare each cohort with the profiles that carry its name in a list property.

    `property` is the list property ("Cohorts" if not given);
    `against` is "snapshot" (what the receiver was told last; the default) or "current".
    """
    machine = machine_of(current_app)
    name, against = request.args.get("property", "Cohorts"), request.args.get("against", "snapshot")
    if against not in {"snapshot", "current"}:
        raise given.InputError("against: snapshot or current")
    with machine.database.reading():
        rows = _compared(machine, name, against)
    return jsonify(
        property=name, against=against, converged=all(row["converged"] for row in rows), cohorts=rows
    )


def summary(machine: Machine, cohort: Cohort) -> dict[str, Any]:
    """Return a cohort as shown to people and programs."""
    return {
        "cohort_id": cohort.cohort_id,
        "name": cohort.name,
        "description": cohort.description,
        "conditions": [condition.to_json() for condition in cohort.conditions],
        "members": len(machine.population.members(cohort)),
        "snapshot_members": len(machine.snapshots.members(cohort.cohort_id)),
        "snapshot_ms": cohort.snapshot_ms,
        "paused": cohort.paused,
        "last_sync": cohort.last_sync,
    }


def _compared(machine: Machine, name: str, against: str) -> list[dict[str, Any]]:
    listed = _listed(machine, name)
    every = machine.cohorts.all()
    told = {
        cohort.cohort_id: machine.snapshots.members(cohort.cohort_id)
        if against == "snapshot"
        else machine.population.members(cohort)
        for cohort in every
    }
    # Cohorts of one name share one list value: whoever is in either of them carries it. Somebody who was told
    # under an id that was linked since carries it under the person's canonical id.
    expected: dict[str, set[str]] = {}
    for cohort in every:
        canonical = machine.identities.resolved(told[cohort.cohort_id])
        people = {canonical.get(one, one) for one in told[cohort.cohort_id]}
        expected.setdefault(cohort.name, set()).update(people)
    return [_row(cohort, expected[cohort.name], listed.get(cohort.name, set())) for cohort in every]


def _listed(machine: Machine, name: str) -> dict[str, set[str]]:
    listed: dict[str, set[str]] = {}
    for profile in machine.profiles.scan():
        held = profile.properties.get(name)
        for value in held if isinstance(held, list) else ():
            listed.setdefault(str(value), set()).add(profile.distinct_id)
    return listed


def _row(cohort: Cohort, expected: set[str], listed: set[str]) -> dict[str, Any]:
    return {
        "cohort_id": cohort.cohort_id,
        "name": cohort.name,
        "synced": cohort.snapshot_ms is not None,
        "expected": len(expected),
        "listed": len(listed),
        "missing": len(expected - listed),
        "extra": len(listed - expected),
        "converged": expected == listed and cohort.snapshot_ms is not None,
    }
