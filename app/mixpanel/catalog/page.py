"""The reference page of the catalog, `docs/mixpanel-api.md`, as Markdown."""

from collections.abc import Iterable, Iterator
from typing import Final

from app.mixpanel.catalog.catalog import of_family
from app.mixpanel.catalog.deviations import DEVIATIONS, NOTES
from app.mixpanel.catalog.families import FAMILIES, LIMITS, Family
from app.mixpanel.catalog.row import NO_BODY, Body, Endpoint, Parameter
from config.projects import HOSTS, REGIONS

_HEAD: Final = """\
# Every endpoint of Mixpanel that the relay can call

This page is made from the catalog (`app/mixpanel/catalog`), as is everything that calls Mixpanel: do not
edit it, run `python -m app.mixpanel.catalog > docs/mixpanel-api.md`. The catalog is compared with
Mixpanel's published OpenAPI descriptions by a test; [where they
differ](#where-the-catalog-differs-from-mixpanels-descriptions), it says why.

How calls are made, what they cost and what errors mean: [the client](mixpanel-client.md).

An endpoint is named by its family and its own name, `query.funnels`. In the tables, "where" is the part of
the request that a parameter goes in. A parameter is **required** where Mixpanel says so; "filled in" means
that the relay knows the value and puts it in: leave it out. A value "as JSON text" may be given
as JSON; it is sent as text.
"""
_HOST_NAMES: Final = ("ingestion", "query", "export", "pipelines", "app", "legacy")
_CREDENTIALS: Final = {
    "service_account": "service account",
    "project_token": "project token",
    "project_secret": "project secret (Mixpanel retires it on 3 March 2027)",
    "oauth": "OAuth token",
    "signature": "API key and signature",
    "none": "none",
}
_SHAPES: Final = {"fields": "", "records": ", an array of objects", "text": ", as it is"}


def render() -> str:
    """Write the page."""
    parts = [_HEAD, _hosts(), _families(), *map(_family, FAMILIES.values()), _differences()]
    return "\n".join(parts)


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = tuple(heads)
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def _hosts() -> str:
    rows = ((name, *(getattr(HOSTS[region], name) for region in REGIONS)) for name in _HOST_NAMES)
    return f"## Hosts\n\n{_table(('host', *(region.upper() for region in REGIONS)), rows)}"


def _families() -> str:
    rows = (
        (
            f"[{one.name}](#{one.name})",
            one.title,
            str(sum(1 for _ in of_family(one.name))),
            LIMITS[one.budget] if one.budget else "not documented",
        )
        for one in FAMILIES.values()
    )
    return f"## Families\n\n{_table(('family', 'what', 'endpoints', 'limits, per project'), rows)}"


def _family(family: Family) -> str:
    rows = tuple(of_family(family.name))
    listed = _table(
        ("endpoint", "request", "what"),
        ((_linked(row), f"`{row.method} {row.path}`", row.summary) for row in rows),
    )
    return f"## {family.name}\n\n{family.title}.\n\n{listed}\n" + "\n".join(map(_endpoint, rows))


def _linked(row: Endpoint) -> str:
    anchor = f"{row.family}{row.name}"  # as code hosts make it: the dot goes
    return f"[{row.name}](#{anchor})"


def _endpoint(row: Endpoint) -> str:
    lines = [f"### {row.family}.{row.name}", "", f"{row.summary}. [Mixpanel's page]({row.docs})", ""]
    if row.retired:
        lines += [f"**Outdated**: {row.retired}.", ""]
    lines += [f"- {fact}" for fact in _facts(row)]
    lines.append("")
    if row.parameters:
        lines.append(_table(("name", "where", "type", "", "what"), _rows(row.parameters)))
    return "\n".join(lines)


def _facts(row: Endpoint) -> Iterator[str]:
    yield f"`{row.method} {row.path}` at the host `{row.host}`"
    yield "Credential: " + ", else ".join(_CREDENTIALS[one] for one in row.credentials)
    if row.role:
        yield f"Least role of a service account: {row.role.title()}"
    yield f"Counts against the limits of: {row.budget}" if row.budget else "Limits: not documented"
    if row.body != NO_BODY:
        yield f"Body: {_body(row.body)}"
    yield f"Answer: {'nothing that is documented' if row.answer == 'none' else row.answer}"
    does = "only reads" if row.reads else "changes something"
    repeated = "may be repeated" if row.idempotent else "is never repeated by itself"
    yield f"It {does}, and {repeated}" + (f"; answers are kept for {row.cache_s} s" if row.cache_s else "")


def _body(body: Body) -> str:
    kinds = " or ".join((body.kind, *body.also))
    most = f", at most {body.max_records:,}" if body.max_records else ""
    return f"{kinds}{_SHAPES[body.shape]}{most}{', may be compressed with gzip' if body.gzip else ''}"


def _rows(parameters: Iterable[Parameter], above: str = "") -> Iterator[tuple[str, ...]]:
    for one in parameters:
        name = f"{above}{one.name}"
        yield f"`{name}`", "" if above else one.where, _type(one), _need(one), " ".join(_told(one))
        inside = f"{name}[]." if one.items == "object" else f"{name}."
        yield from _rows(one.fields, inside)


def _type(one: Parameter) -> str:
    name = f"{one.type} of {one.items}" if one.items else one.type
    form = f", {one.format}" if one.format and one.format != "blob" else ""
    return f"{name}{form}{', or null' if one.nullable else ''}"


def _need(one: Parameter) -> str:
    words = ["**required**"] if one.required else []
    if one.filled:
        words.append("filled in")
    if one.default is not None:
        sent = " (sent)" if one.sent else ""
        words.append(f"default `{str(one.default).lower() if one.type == 'boolean' else one.default}`{sent}")
    return ", ".join(words)


def _told(one: Parameter) -> Iterator[str]:
    yield one.description
    if one.enum:
        values = (str(value).lower() if one.type == "boolean" else str(value) for value in one.enum)
        yield f"One of {', '.join(f'`{value}`' for value in values)}."
    if one.encoded:
        yield "Sent as JSON text."
    if one.repeated:
        yield "May be given several times."
    bounds = (
        ("at least", one.minimum, ""),
        ("at most", one.maximum, ""),
        ("at least", one.min_length, " characters"),
        ("at most", one.max_length, " characters"),
        ("at least", one.min_items, " of them"),
        ("at most", one.max_items, " of them"),
    )
    told = [f"{words} {bound:,}{what}" for words, bound, what in bounds if bound is not None]
    if told:
        yield f"{', '.join(told).capitalize()}."


def _differences() -> str:
    listed = _table(
        ("operation", "what", "published", "here", "why"),
        ((f"`{one.operation}`", one.where, one.published, one.here, one.reason) for one in DEVIATIONS),
    )
    notes = "\n".join(f"- {note}" for note in NOTES)
    return (
        f"## Where the catalog differs from Mixpanel's descriptions\n\n{listed}\n"
        f"## Where Mixpanel's descriptions contradict themselves or its other pages\n\n{notes}\n"
    )
