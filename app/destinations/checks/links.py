"""Check an identity link that a service hands in, and make of it what the identity outbox holds."""

from typing import Any, Final

from app.destinations.checks.invalid import Invalid
from app.destinations.identity.links import Link
from app.destinations.identity.preflight import Refusal, System, wrong_in_itself
from config.link_fields import verb_of
from config.links import DEVICE_PREFIX, KEYS, Verb

_FORMS: Final = "user_id and device_id, identified_id and anon_id, distinct_id and alias, or merge"
_PAIR: Final = 2


class LinkCheck:
    """Checks the links of one call, each for itself: what was linked before is looked at when it is sent.

    Args:
        system: what the project's identity can do.
        now_ms: the time of the call, which is the links' time.
        token_id: whose call it is.
    """

    def __init__(self, system: System, now_ms: int, token_id: str) -> None:
        self._system = system
        self._now_ms = now_ms
        self._why = {"api": token_id}

    def __call__(self, value: Any) -> bytes:
        """Return the link, encoded; raises Invalid."""
        return self.link(value).to_json()

    def link(self, value: Any) -> Link:
        """Return the link.

        Raises:
            Invalid: it can never be made in this project.
        """
        verb = verb_of(value)
        if verb is None:
            raise Invalid("", "link", f"A link must be an object with {_FORMS}, and nothing else.")
        first, second = _ids(verb, value)
        if verb == "device":
            second = second.removeprefix(DEVICE_PREFIX)
        link = Link(verb, first, second, _allow_merge(verb, value), self._now_ms, self._why)
        if refusal := wrong_in_itself(link, self._system):
            raise Invalid(
                _field(verb, refusal), refusal.code, f"{refusal.reason[0].upper()}{refusal.reason[1:]}."
            )
        return link


def _ids(verb: Verb, value: dict[str, Any]) -> tuple[str, str]:
    if verb == "merge":
        pair = value["merge"]
        if not isinstance(pair, list) or len(pair) != _PAIR:
            raise Invalid("merge", "pair", "merge must be a list of exactly two ids.")
        named = [(f"merge[{place}]", one) for place, one in enumerate(pair)]
    else:
        named = [(name, value[name]) for name in KEYS[verb]]
    for name, one in named:
        if not isinstance(one, str):
            raise Invalid(name, "id", f"{name} must be a text.")
    (_, first), (_, second) = named
    return first, second


def _allow_merge(verb: Verb, value: dict[str, Any]) -> bool:
    given = value.get("allow_merge", False)
    if "allow_merge" in value and verb != "merge":
        raise Invalid("allow_merge", "unknown_field", "allow_merge belongs to a merge only.")
    if not isinstance(given, bool):
        raise Invalid("allow_merge", "allow_merge", "allow_merge must be true or false.")
    return given


def _field(verb: Verb, refusal: Refusal) -> str:
    if refusal.code == "merge_not_allowed":
        return "allow_merge"
    if verb == "merge":
        return (
            "merge"
            if refusal.code in ("verb_unavailable", "no_service_account")
            else f"merge[{refusal.second:d}]"
        )
    return KEYS[verb][refusal.second]
