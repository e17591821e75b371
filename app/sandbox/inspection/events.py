"""Events: what there is, of whom, and how often each came."""

from dataclasses import asdict, replace

from flask import Blueprint, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from app.sandbox.inspection import input as given
from app.sandbox.machine import machine_of
from app.sandbox.store.events import Selection

blueprint = Blueprint("events", __name__)


@blueprint.get("/events")
def page() -> ResponseReturnValue:
    """List events in the order of their latest arrival, each once, under the person's canonical id.

    Of one `event` name, of one person (`distinct_id`, any of the person's), or both; every arrival on its own
    with `raw=1`. A page starts behind the number `after`; `next` is the one to give for the following page.
    """
    limit = given.limit(100)
    raw = request.args.get("raw") == "1"
    chosen = machine_of(current_app).events.read(
        replace(_selection(), raw=raw), "arrival", limit, given.after()
    )
    following = chosen[-1].sequence if len(chosen) == limit else None
    return jsonify(events=[asdict(event) for event in chosen], next=following)


@blueprint.get("/event-counts")
def counts() -> ResponseReturnValue:
    """Count events and their arrivals by name, of everybody or of one person (`distinct_id`)."""
    found = machine_of(current_app).events.counts(_selection())
    return jsonify(
        events={name: one.events for name, one in found.items()},
        arrivals={name: one.arrivals for name, one in found.items()},
        total=sum(one.events for one in found.values()),
        total_arrivals=sum(one.arrivals for one in found.values()),
    )


@blueprint.get("/arrivals")
def arrivals() -> ResponseReturnValue:
    """List events that came more than once, or at least `min` times, with how often."""
    limit, least = given.limit(100), request.args.get("min", "2")
    if not least.isdecimal():
        raise given.InputError("min: a number")
    selection = replace(_selection(), at_least=int(least))
    chosen = machine_of(current_app).events.read(selection, "arrival", limit, given.after())
    shown = ("event", "time_ms", "distinct_id", "insert_id", "arrivals", "sequence")
    following = chosen[-1].sequence if len(chosen) == limit else None
    return jsonify(arrivals=[{name: getattr(one, name) for name in shown} for one in chosen], next=following)


def _selection() -> Selection:
    name = request.args.get("event")
    return Selection(names=() if name is None else (name,), person=request.args.get("distinct_id"))
