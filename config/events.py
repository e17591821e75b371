"""Events: what a rule tells Mixpanel about somebody who enters, leaves or changes within a cohort."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from config.event_shape import MAX_PROPERTIES
from config.templates import MISSING, Context, Template, members_used

# What the relay itself puts into events, so that a retry is known as one and the project knows the source.
FILLED: Final = frozenset({"time", "distinct_id", "$insert_id", "$source", "$device_id"})
# What would link identities beside the ledger that keeps account of them, or name a project.
FORBIDDEN: Final = frozenset({"token", "$user_id", "$identified_id", "$anon_id", "$distinct_ids"})
MAX_OWN_PROPERTIES: Final = MAX_PROPERTIES - len(FILLED)
_PERSONAL: Final = "distinct_id"


@dataclass(frozen=True, slots=True)
class Event:
    """An event to import.

    Attributes:
        name: a template.
        properties: names to JSON values, all with templates.
        personal: whether it differs between the members of a change-log entry.
    """

    name: str
    properties: Mapping[str, Any] = field(default_factory=dict, hash=False)
    personal: bool = field(init=False, repr=False, compare=False)
    _name: Template = field(init=False, repr=False, compare=False)
    _properties: tuple[tuple[Template, Template], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the templates, in an order that does not depend on the file's.

        Raises:
            TemplateError: one of its texts is no template.
        """
        properties = tuple(
            (Template(name), Template(self.properties[name])) for name in sorted(self.properties)
        )
        object.__setattr__(self, "_name", Template(self.name))
        object.__setattr__(self, "_properties", properties)
        names = self._name.names.union(*(one.names for pair in properties for one in pair))
        object.__setattr__(self, "personal", _PERSONAL in names or bool(self.members_used()))

    def rendered(self, context: Context) -> tuple[str, dict[str, Any]] | None:
        """Give the name and the properties for one member.

        A property whose member property is missing or null is left out.

        Returns:
            None when the name needs a member property that is missing or null: there is no event then.
            Values may be shared with other members, so they must not be changed in place.
        """
        name = self._name.render(context)
        if name is MISSING:
            return None
        properties = {}
        for name_of, value_of in self._properties:
            key, value = name_of.render(context), value_of.render(context)
            if key is not MISSING and value is not MISSING:
                properties[_text(key)] = value
        return _text(name), properties

    def members_used(self) -> frozenset[str]:
        """Name the member properties that it needs."""
        return members_used([self.name, dict(self.properties)])

    def to_json(self) -> dict[str, Any]:
        """Give what `from_json` takes."""
        return {"name": self.name, "properties": dict(self.properties)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> "Event | None":
        """Make the event of what `to_json` gave; nothing of None."""
        return None if stored is None else cls(stored["name"], stored["properties"])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()
