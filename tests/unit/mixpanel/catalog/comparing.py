"""What a row of the catalog and a published description say differently."""

from collections.abc import Iterable, Iterator
from typing import Any

from app.mixpanel.catalog.row import Endpoint, Parameter
from config.projects import HOSTS
from tests.unit.mixpanel.catalog.published import Facts, Operation

Difference = tuple[str, str, str, str]  # operation, where, published, here
_COMPARED = (
    "type",
    "required",
    "enum",
    "default",
    "items",
    "nullable",
    "minimum",
    "maximum",
    "min_length",
    "max_length",
    "min_items",
    "max_items",
)


def differences(row: Endpoint, published: Operation, fields: dict[str, Facts] | None) -> Iterator[Difference]:
    """Compare a row with its description.

    Args:
        row: The row.
        published: Its description.
        fields: The fields of its body, of the variant that the row is of; None: they are not compared.
    """
    for where, theirs, ours in _facts(row, published):
        if theirs != ours:
            yield published.id, where, _text(theirs), _text(ours)
    asked = {f"{where}.{name}": facts for (where, name), facts in published.parameters.items()}
    kept = {f"{one.where}.{one.name}": one for one in row.of("path", "query", "header")}
    yield from _compared(published.id, asked, kept)
    if fields is not None:
        kind = "form" if published.body == "form" else "json"
        wanted = {f"{kind}.{name}": facts for name, facts in fields.items()}
        yield from _compared(
            published.id, wanted, {f"{one.where}.{one.name}": one for one in row.of("form", "json")}
        )


def _facts(row: Endpoint, published: Operation) -> Iterable[tuple[str, Any, Any]]:
    return (
        ("method", published.method, row.method),
        ("path", published.path, row.path),
        ("host", published.url, getattr(HOSTS["us"], row.host)),
        ("credentials", sorted(published.credentials), sorted(row.credentials)),
        ("role", published.role, row.role),
        ("body", published.body, row.body.kind),
        ("body required", published.body_required, row.body.required),
        ("records", published.records, row.body.shape == "records"),
        ("answer", published.answer, row.answer),
    )


def _compared(operation: str, asked: dict[str, Facts], kept: dict[str, Parameter]) -> Iterator[Difference]:
    for name in asked.keys() | kept.keys():
        if name not in kept:
            yield operation, name, "published", "missing"
        elif name not in asked:
            yield operation, name, "not published", "here"
        else:
            yield from _parameter(operation, name, asked[name], kept[name])


def _parameter(operation: str, name: str, facts: Facts, ours: Parameter) -> Iterator[Difference]:
    for fact in _COMPARED:
        here = getattr(ours, fact)
        if facts.get(fact) != here or isinstance(facts.get(fact), bool) != isinstance(here, bool):
            yield operation, f"{name} {fact}", _text(facts.get(fact)), _text(here)
    if facts["format"] not in (None, ours.format):  # dates are often told in prose only
        yield operation, f"{name} format", _text(facts["format"]), _text(ours.format)
    if ours.encoded:
        return  # a text: what it consists of is told in prose
    inside = {f"{name}.{one.name}": one for one in ours.fields}
    yield from _compared(operation, {f"{name}.{key}": one for key, one in facts["fields"].items()}, inside)


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
