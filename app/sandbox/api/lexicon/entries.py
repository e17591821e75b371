"""Check what a schema of an event or a profile says. Pure.

Source: the published OpenAPI description of lexicon schemas.
"""

from typing import Any

from app.sandbox.api.desk.asked import MistakeError

ENTITIES = ("event", "profile")
TYPES = {"array", "boolean", "integer", "null", "number", "object", "string"}
VENDOR = "com.mixpanel"
FLAGS = {"hidden", "dropped"}
OF_ENTITY = {"$source", "displayName", "hidden", "dropped", "contacts", "teamContacts"}
OF_PROPERTY = {"displayName", "hidden", "dropped"}


def check_entry(entry: Any) -> tuple[str, str, dict[str, Any]]:
    """Return an entry's type of entity, its name and its schema."""
    if not isinstance(entry, dict) or set(entry) != {"entityType", "name", "schemaJson"}:
        raise MistakeError("entries: each has entityType, name and schemaJson, and nothing else")
    if entry["entityType"] not in ENTITIES:
        raise MistakeError(f"entityType: one of {', '.join(ENTITIES)}")
    if not isinstance(entry["name"], str) or not entry["name"]:
        raise MistakeError("name: required, a text")
    return entry["entityType"], entry["name"], check_schema(entry["schemaJson"])


def check_schema(schema: Any) -> dict[str, Any]:
    """Return a schema that is as described."""
    if not isinstance(schema, dict):
        raise MistakeError("schemaJson: must be an object")
    if not isinstance(schema.get("description", ""), str):
        raise MistakeError("description: must be a text")
    _check_metadata(schema.get("metadata", {}), OF_ENTITY)
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        raise MistakeError("properties: must be an object")
    for name, described in properties.items():
        _check_property(name, described)
    return schema


def size(schema: dict[str, Any]) -> int:
    """Return how many events and properties a schema counts as: itself, and each property."""
    return 1 + len(schema.get("properties", {}))


def _check_property(name: str, described: Any) -> None:
    if not isinstance(described, dict) or set(described) - {"type", "description", "metadata"}:
        raise MistakeError(f"properties.{name}: an object with type, description and metadata")
    types = described.get("type")
    if not set(types if isinstance(types, list) else [types]) <= TYPES:
        raise MistakeError(f"properties.{name}.type: of {', '.join(sorted(TYPES))}")
    _check_metadata(described.get("metadata", {}), OF_PROPERTY)


def _check_metadata(metadata: Any, known: set[str]) -> None:
    vendors = metadata.get(VENDOR, {}) if isinstance(metadata, dict) else None
    if not isinstance(vendors, dict) or set(vendors) - known:
        raise MistakeError(f"metadata: an object with {VENDOR}, of {', '.join(sorted(known))}")
    if any(not isinstance(vendors.get(name, False), bool) for name in FLAGS):
        raise MistakeError(f"metadata.{VENDOR}: hidden and dropped are true or false")
