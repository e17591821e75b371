"""Records to hand in. A name's `__` at its beginning stands for `$`."""

from typing import Any

from app.lanes.work import OutboxName


def event(name: Any = "Message sent", /, **properties: Any) -> dict[str, Any]:
    """An event of somebody."""
    return {"event": name, "properties": {"distinct_id": "someone", **_named(properties)}}


def profile(**fields: Any) -> dict[str, Any]:
    """An update of somebody's profile."""
    return {"$distinct_id": "someone", **_named(fields)}


def group(**fields: Any) -> dict[str, Any]:
    """An update of a group."""
    return {"$group_key": "Company", "$group_id": "Acme", **_named(fields)}


def nested(depth: int) -> Any:
    """Objects within objects."""
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


def _named(fields: dict[str, Any]) -> dict[str, Any]:
    return {f"${name[2:]}" if name.startswith("__") else name: value for name, value in fields.items()}


VALID: dict[OutboxName, dict[str, Any]] = {
    "events": event(time=1_700_000_000),
    "profiles": profile(__set={"a": 1}),
    "groups": group(__set={"a": 1}),
}
