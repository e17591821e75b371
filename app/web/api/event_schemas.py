"""What anybody may read of events: their types, and the schema of each, where `dataschema` points."""

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, abort

from app.feed.encoding import SCHEMAS
from app.feed.schemas import Schema, schemas
from app.web.api.answers import encoded
from app.web.api.log import drop_line

_AN_HOUR: Final = {"Cache-Control": "public, max-age=3600"}
_SCHEMA_JSON: Final = "application/schema+json"


@dataclass(frozen=True)
class EventSchemas:
    """The addresses.

    Attributes:
        known: the schemas, by type without its prefix, and version.
    """

    known: dict[tuple[str, int], Schema]

    @classmethod
    def blueprint(cls) -> Blueprint:
        """Return the routes to register."""
        views = cls(schemas())
        blueprint = Blueprint("event-schemas", __name__, url_prefix=SCHEMAS)
        blueprint.add_url_rule("", "all", views.all)
        blueprint.add_url_rule("/<name>/<int:version>", "one", views.one)
        return blueprint

    def all(self) -> Response:
        """Answer the types, each with an example."""
        drop_line()
        told = [self._told(name, schema) for (name, _), schema in self.known.items()]
        return encoded(200, {"types": told}, _AN_HOUR)

    def one(self, name: str, version: int) -> Response:
        """Answer a type's schema."""
        found = self.known.get((name, version))
        if found is None:
            abort(404)
        drop_line()
        return encoded(200, found.schema, _AN_HOUR, mimetype=_SCHEMA_JSON)

    def _told(self, name: str, schema: Schema) -> dict[str, Any]:
        return {
            "type": schema.type,
            "version": schema.version,
            "description": schema.schema["description"],
            "schema": f"{SCHEMAS}/{name}/{schema.version}",
            "example": schema.example,
        }
