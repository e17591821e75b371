"""What Mixpanel would refuse of a rule's event, found before it is sent."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.destinations.dead_letters import DeadLetter
from app.mixpanel.event_limits import name_violations, shape_violations
from app.mixpanel.violations import MAX_RECORD_BYTES, Violation, path
from config.events import FILLED, FORBIDDEN

_RESERVED: Final = FILLED | FORBIDDEN
_SHOWN: Final = 3
TOO_LARGE: Final = Violation("", "size", f"is larger than {MAX_RECORD_BYTES} bytes as JSON")


def rendered_violations(name: str, properties: Mapping[str, Any]) -> list[Violation]:
    """Find the limits that a rendered event breaks, whoever it is about.

    How many properties it has was checked with the rules; a name in which a placeholder stands can turn out
    to be one that is none of the rule's business.
    """
    reserved = [
        Violation(path("properties", name), "reserved_property", "is filled by the relay, or an identity's")
        for name in sorted(properties.keys() & _RESERVED)
    ]
    return [*name_violations(name), *reserved, *shape_violations(properties)]


def invalid(place: str, violations: Sequence[Violation], record: bytes) -> DeadLetter:
    """Give up an event that breaks limits.

    Args:
        place: where the event stands in the rules.
        violations: one or more.
        record: the encoded event.
    """
    shown = [f"{one.field or 'the event'} {one.message} ({one.rule})" for one in violations[:_SHOWN]]
    more = [f"and {len(violations) - _SHOWN} more"] if len(violations) > _SHOWN else []
    return DeadLetter("invalid", f"{place}: {'; '.join(shown + more)}", "", record)


def unusable(place: str, record: bytes) -> DeadLetter:
    """Give up an event about somebody whose distinct_id Mixpanel refuses."""
    return DeadLetter(
        "unusable_id", f"{place}: Mixpanel refuses this distinct_id, so nothing was sent", "", record
    )
