"""Requests to a machine's endpoints, without HTTP around them."""

from typing import Any
from urllib.parse import urlencode

import orjson

from app.sandbox.api.answers import Answer, Modes
from app.sandbox.api.call import Call
from app.sandbox.machine import Machine
from tests.unit.sandbox.doubles import START_S

TOKEN = "sandbox-token"
ACCOUNT = ("sandbox-account", "sandbox-secret")
NOW_S = int(START_S)
UUIDS = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(1, 20)]


def event(name: str = "Signed up", /, **changes: Any) -> dict[str, Any]:
    """Return an event that is valid everywhere; a change to None leaves a property out."""
    properties = {"time": NOW_S - 60, "distinct_id": "u1", "$insert_id": "i-1", "token": TOKEN} | changes
    return {
        "event": name,
        "properties": {key: value for key, value in properties.items() if value is not None},
    }


def verb(name: str, **properties: Any) -> dict[str, Any]:
    return {"event": name, "properties": {"token": TOKEN} | properties}


def identify(identified: str, anon: str) -> dict[str, Any]:
    return verb("$identify", **{"$identified_id": identified, "$anon_id": anon})


def alias(distinct_id: str, name: str) -> dict[str, Any]:
    return verb("$create_alias", distinct_id=distinct_id, alias=name)


def merge(first: str, second: str) -> dict[str, Any]:
    return verb("$merge", **{"$distinct_ids": [first, second]})


def both(user: str, device: str, insert_id: str = "i-1") -> dict[str, Any]:
    return event(**{"$user_id": user, "$device_id": device, "$insert_id": insert_id, "distinct_id": None})


def encoded(sent: Any) -> bytes:
    return sent if isinstance(sent, bytes) else orjson.dumps(sent)


def send_import(
    machine: Machine,
    sent: Any,
    *,
    who: tuple[str, str] | None = ACCOUNT,
    encoding: str = "",
    mimetype: str = "application/json",
    **query: str,
) -> Any:
    """Post to `/import`, as the service account if nothing else is said."""
    asked = {"strict": "1", "project_id": machine.config.project_id} | query
    username, password = who or (None, "")
    call = Call(
        modes=Modes.of_import(asked),
        body=encoded(sent),
        mimetype=mimetype,
        encoding=encoding,
        username=username,
        password=password,
        query=asked,
    )
    return machine.api.imports.answer(call)


def send_track(
    machine: Machine, sent: Any, mimetype: str = "application/json", encoding: str = "", **query: str
) -> Any:
    """Post to `/track`."""
    modes = Modes.of(query, images=True)
    call = Call(modes, encoded(sent), mimetype, encoding, address="192.0.2.1", query=query)
    return machine.api.track.answer(call)


def send_groups(machine: Machine, sent: Any, encoding: str = "", **query: str) -> Any:
    """Post to `/groups`."""
    call = Call(Modes.of(query), encoded(sent), "application/json", encoding)
    return machine.api.groups.answer(call)


def send_engage(machine: Machine, *records: dict[str, Any]) -> Any:
    """Post to `/engage`, strictly and without geolocation."""
    sent = [{"$token": TOKEN} | record for record in records]
    call = Call(Modes.of({"ip": "0", "strict": "1"}), encoded(sent), "application/json", "")
    return machine.api.engage.answer(call)


def export(machine: Machine, who: tuple[str, str] | None = ACCOUNT, encoding: str = "", **query: Any) -> Any:
    """Ask for events, from 1971 until today if nothing else is said."""
    asked = {
        "from_date": "1971-01-01",
        "to_date": "2026-12-31",
        "project_id": machine.config.project_id,
    } | query
    username, password = who or (None, "")
    call = Call(Modes.of({}), b"", "", encoding, username=username, password=password, query=asked)
    return machine.api.export.answer(call)


def exported(machine: Machine, **query: Any) -> list[dict[str, Any]]:
    """Return what an export shows."""
    answer = export(machine, **query)
    assert answer.status == 200, answer.body
    return [orjson.loads(line) for line in answer.body.splitlines()]


def decoded(answer: Answer) -> Any:
    return orjson.loads(answer.body)


def failures(answer: Answer) -> list[tuple[int, str]]:
    """Return index and field of each failed record."""
    return [(one["index"], one["field"]) for one in decoded(answer).get("failed_records", [])]


def query(
    machine: Machine,
    who: tuple[str, str] | None = ACCOUNT,
    project_id: str | None = None,
    **form: Any,
) -> Answer:
    """Ask for a page of profiles; what is no text goes as JSON."""
    fields = {
        name: value if isinstance(value, str) else encoded(value).decode() for name, value in form.items()
    }
    username, password = who or (None, "")
    answer = machine.api.query.profiles(
        Call(
            modes=Modes.of({}),
            body=urlencode(fields).encode(),
            mimetype="application/x-www-form-urlencoded",
            encoding="",
            username=username,
            password=password,
            query={"project_id": project_id or machine.config.project_id},
        )
    )
    assert isinstance(answer, Answer)
    return answer


def query_cohorts(machine: Machine, who: tuple[str, str] | None = ACCOUNT) -> Answer:
    """List the cohorts."""
    username, password = who or (None, "")
    asked = {"project_id": machine.config.project_id}
    call = Call(Modes.of({}), b"", "", "", username=username, password=password, query=asked)
    answer = machine.api.query.cohorts(call)
    assert isinstance(answer, Answer)
    return answer
