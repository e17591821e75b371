"""Identity links: which two ids of a member a rule says are one person's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

from config.templates import Context, Template, members_used

IdManagement = Literal["simplified", "original", "legacy"]
Verb = Literal["device", "identify", "alias", "merge"]
ID_MANAGEMENTS: Final[tuple[IdManagement, ...]] = ("simplified", "original", "legacy")

# Which identity system knows which verb. Source: Mixpanel's documentation of identity management.
VERBS: Final[Mapping[IdManagement, frozenset[Verb]]] = MappingProxyType(
    {
        "simplified": frozenset[Verb]({"device"}),
        "original": frozenset[Verb]({"identify", "alias", "merge"}),
        "legacy": frozenset[Verb]({"alias"}),
    }
)
# How a link is written, by verb: the two keys, in the order of `LinkRule.first` and `second`.
KEYS: Final[Mapping[Verb, tuple[str, ...]]] = MappingProxyType(
    {
        "device": ("user_id", "device_id"),
        "identify": ("identified_id", "anon_id"),
        "alias": ("distinct_id", "alias"),
        "merge": ("merge",),
    }
)
# How a simplified project names the profile of a device that is nobody's yet.
DEVICE_PREFIX: Final = "$device:"
_DISTINCT_ID: Final = "distinct_id"


@dataclass(frozen=True, slots=True)
class LinkRule:
    """One link for each member.

    Attributes:
        verb: what to do in Mixpanel.
        first, second: templates of the two ids, in the order of `KEYS`.
        allow_merge: of a `merge`: somebody knows that it cannot be undone.
    """

    verb: Verb
    first: str
    second: str
    allow_merge: bool = False
    _first: Template = field(init=False, repr=False, compare=False)
    _second: Template = field(init=False, repr=False, compare=False)
    _members: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the templates.

        Raises:
            TemplateError: one of the two is no template.
        """
        object.__setattr__(self, "_first", Template(self.first))
        object.__setattr__(self, "_second", Template(self.second))
        object.__setattr__(self, "_members", members_used([self.first, self.second]))

    def rendered(self, context: Context) -> tuple[str, str] | None:
        """Give the two ids of one member.

        Returns:
            None where there is nothing to link: a member property that it needs is missing, empty or neither
            text nor a whole number, both ids are the same, or `{distinct_id}` stands for a user and is a
            device's, or the other way round.
        """
        if not all(_usable(context.member.get(name)) for name in self._members):
            return None
        first, second = str(self._first.render(context)), str(self._second.render(context))
        if self.verb == "device":
            if first.startswith(DEVICE_PREFIX):
                return None
            if second.startswith(DEVICE_PREFIX):
                second = second.removeprefix(DEVICE_PREFIX)
            elif _DISTINCT_ID in self._second.names:
                return None
        return (first, second) if first and second and first != second else None

    def members_used(self) -> frozenset[str]:
        """Name the member properties that it needs."""
        return self._members

    def to_json(self) -> dict[str, Any]:
        """Give what `from_json` takes."""
        return {
            "verb": self.verb,
            "first": self.first,
            "second": self.second,
            "allow_merge": self.allow_merge,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "LinkRule":
        """Make the link of what `to_json` gave."""
        return cls(**stored)


def _usable(value: Any) -> bool:
    """Tell whether something can be an id, or a part of one."""
    return bool(value.strip()) if isinstance(value, str) else type(value) is int
