"""Templates of rule values: text with placeholders, compiled once and rendered for every change.

Rendering is on the hot path (a first sync renders every rule for every member), so a value is compiled
to a closure: one without placeholders costs a call and gives the same object each time, and one that does
not depend on the member is computed once a change-log entry. Rendered lists and objects may therefore be
shared: nobody may change them in place.

    {cohort_id} {cohort_name} {project_id} {session_id} {distinct_id} {time} {member[<property>]}
    {{ and }} stand for literal braces
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

PLACEHOLDERS: Final = frozenset(
    {"project_id", "cohort_id", "cohort_name", "session_id", "time", "distinct_id"},
)
_SYNTAX: Final = re.compile(
    r"(?P<escaped>\{\{|\}\})"
    r"|\{member\[(?P<property>(?:[^{}]|\{\{|\}\})+)\]\}"
    r"|\{(?P<name>[^{}]*)\}"
    r"|(?P<lone>[{}])"
)
_NO_MEMBER: Final[Mapping[str, Any]] = MappingProxyType({})
# How many of Context's leading fields are the same for every member of a change-log entry.
_SHARED_FIELDS: Final = 5
_CACHED_CHANGES: Final = 64


class Context(NamedTuple):
    """What placeholders stand for: first what a change-log entry says, then the one member."""

    project_id: str
    cohort_id: str
    cohort_name: str
    session_id: str
    time_ms: int
    distinct_id: str
    member: Mapping[str, Any] = _NO_MEMBER


class Missing(Enum):
    """The answer of a template whose member property is missing or null."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


class TemplateError(ValueError):
    """A text that is not a template; the message says why."""


class Placeholder(NamedTuple):
    """One placeholder; `member` is the property's name where it is a `{member[...]}`."""

    name: str
    member: str | None


Renderer = Callable[[Context], Any]
Part = str | Placeholder


def parse(text: str) -> tuple[Part, ...]:
    """Split a template into literal texts and placeholders.

    Raises:
        TemplateError: a placeholder is unknown or a brace stands alone.
    """
    parts: list[Part] = []
    literal: list[str] = []
    position = 0
    for match in _SYNTAX.finditer(text):
        literal.append(text[position : match.start()])
        position = match.end()
        if match["escaped"]:
            literal.append(match["escaped"][0])
            continue
        placeholder = _placeholder(match)
        if any(literal):
            parts.append("".join(literal))
        literal = []
        parts.append(placeholder)
    literal.append(text[position:])
    if any(literal):
        parts.append("".join(literal))
    return tuple(parts)


def _placeholder(match: re.Match[str]) -> Placeholder:
    if match["lone"]:
        raise TemplateError(
            f"a lone {match['lone']!r} at character {match.start() + 1}; a literal brace is written twice"
        )
    if match["property"]:
        member = match["property"].replace("{{", "{").replace("}}", "}")
        return Placeholder(f"member[{member}]", member)
    if match["name"] not in PLACEHOLDERS:
        known = " ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
        raise TemplateError(f"unknown placeholder {match[0]}; known are {known} {{member[<property>]}}")
    return Placeholder(match["name"], None)


def escape(text: str) -> str:
    """Write a literal text as a template."""
    return text.replace("{", "{{").replace("}", "}}")


def of_member(member_property: str) -> str:
    """Write the template that is one member property's value."""
    return f"{{member[{escape(member_property)}]}}"


class Template:
    """A compiled JSON value with templates in its texts (and in the names inside its objects)."""

    __slots__ = ("names", "render")

    def __init__(self, value: Any) -> None:
        """Compile.

        Raises:
            TemplateError: one of its texts is no template.
        """
        self.names: frozenset[str] = names_used(value)
        self.render: Renderer = _compile(value, self.names)


def render(value: Any, context: Context) -> Any:
    """Render a value that was not compiled, at some 10 µs; for every member, use `Operation.rendered`.

    Returns:
        The JSON value, or MISSING when a member property that it needs is missing or null.
    """
    return Template(value).render(context)


def names_used(value: Any) -> frozenset[str]:
    """Name the placeholders of a value, such as `cohort_name` and `member[email]`."""
    return frozenset(placeholder.name for placeholder in _placeholders(value))


def members_used(value: Any) -> frozenset[str]:
    """Name the member properties that a value needs."""
    return frozenset(p.member for p in _placeholders(value) if p.member is not None)


def _placeholders(value: Any) -> Iterator[Placeholder]:
    for text in _texts(value):
        for part in parse(text):
            if isinstance(part, Placeholder):
                yield part


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)


def _compile(value: Any, names: frozenset[str]) -> Renderer:
    renderer = _renderer(value)
    if not names:
        constant = renderer(Context("", "", "", "", 0, ""))
        return lambda _: constant
    if any(name == "distinct_id" or name not in PLACEHOLDERS for name in names):
        return renderer
    return _once_a_change(renderer)


def _once_a_change(renderer: Renderer) -> Renderer:
    @lru_cache(maxsize=_CACHED_CHANGES)
    def rendered(project_id: str, cohort_id: str, cohort_name: str, session_id: str, time_ms: int) -> Any:
        return renderer(Context(project_id, cohort_id, cohort_name, session_id, time_ms, ""))

    return lambda context: rendered(*context[:_SHARED_FIELDS])


def _renderer(value: Any) -> Renderer:
    if isinstance(value, str):
        return _text_renderer(parse(value))
    if isinstance(value, list):
        return _list_renderer([_renderer(item) for item in value])
    if isinstance(value, dict):
        return _object_renderer([(_renderer(key), _renderer(item)) for key, item in value.items()])
    return lambda _: value


def _list_renderer(items: list[Renderer]) -> Renderer:
    def rendered(context: Context) -> Any:
        values = [item(context) for item in items]
        return MISSING if any(value is MISSING for value in values) else values

    return rendered


def _object_renderer(items: list[tuple[Renderer, Renderer]]) -> Renderer:
    def rendered(context: Context) -> Any:
        values = {}
        for key_of, value_of in items:
            key, value = key_of(context), value_of(context)
            if key is MISSING or value is MISSING:
                return MISSING
            values[_as_text(key)] = value
        return values

    return rendered


def _text_renderer(parts: tuple[Part, ...]) -> Renderer:
    if len(parts) == 1:
        return _part_renderer(parts[0])
    renderers = [_part_renderer(part) for part in parts]

    def rendered(context: Context) -> Any:
        values = [renderer(context) for renderer in renderers]
        return MISSING if MISSING in values else "".join(map(_as_text, values))

    return rendered


def _part_renderer(part: Part) -> Renderer:
    if isinstance(part, str):
        return lambda _: part
    if part.member is not None:
        member = part.member
        return lambda context: MISSING if (value := context.member.get(member)) is None else value
    if part.name == "time":
        return lambda context: _as_time(context.time_ms)
    field = Context._fields.index(part.name)
    return lambda context: context[field]


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=_CACHED_CHANGES)
def _as_time(time_ms: int) -> str:
    """Write a time as Mixpanel's profile properties want it: UTC, to the second."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
