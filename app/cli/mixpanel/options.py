"""The options of an endpoint's command, made of its row."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from app.cli.mixpanel.naming import flags, offered
from app.mixpanel.catalog.row import Endpoint, Parameter

_LONGEST_ENUM: Final = 60
_METAVARS: Final = {
    "string": "TEXT",
    "integer": "INTEGER",
    "number": "NUMBER",
    "object": "JSON",
    "any": "JSON",
}
_FORMATS: Final = {"date": "YYYY-MM-DD", "date-time": "TIME", "uuid": "UUID", "uuid4": "UUID"}
PREFIX: Final = "given_"


def options_of(row: Endpoint) -> list[click.Option]:
    """Make an option for each parameter that is left to the caller."""
    return [_option(row, one, number) for number, one in enumerate(offered(row))]


def arguments_of(row: Endpoint, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the arguments that the options stand for.

    Args:
        row: The endpoint.
        given: What click read, by the options' own names.

    Raises:
        click.BadParameter: A file that was named cannot be read.
    """
    found: dict[str, Any] = {}
    for number, one in enumerate(offered(row)):
        value = given.get(f"{PREFIX}{number}")
        if value is None or value == ():
            continue
        if isinstance(value, tuple):
            found[one.name] = _several(one, [text_of(each) for each in value])
        else:
            found[one.name] = text_of(value) if isinstance(value, str) else value
    return found


def text_of(value: str) -> str:
    """Give a value, from a file where it is `@FILE`, from standard input where it is `@-`.

    Raises:
        click.BadParameter: The file cannot be read.
    """
    return bytes_of(value).decode(errors="replace") if value.startswith("@") else value


def bytes_of(value: str) -> bytes:
    """Give a value's bytes; as `text_of`. `@@` begins a value that begins with `@`.

    Raises:
        click.BadParameter: The file cannot be read.
    """
    if value.startswith("@@") or not value.startswith("@"):
        return value.removeprefix("@").encode()
    try:
        with click.open_file(value[1:], "rb") as file:
            content: bytes = file.read()
    except OSError as error:
        raise click.BadParameter(
            f"{value[1:]}: {error.strerror}. (A value with an @ before it names a file; @@ stands for @.)"
        ) from None
    return content


def takes_several(parameter: Parameter) -> bool:
    """Say whether an option may be given several times."""
    return parameter.type == "array" or parameter.repeated or (parameter.encoded and not parameter.fields)


def _several(parameter: Parameter, texts: Sequence[str]) -> Any:
    """Give one value as it is (it may be JSON), and several as a list."""
    if len(texts) > 1:
        return list(texts)
    lone = parameter.encoded and not texts[0].lstrip().startswith(("[", "{"))
    return [texts[0]] if lone else texts[0]


def _option(row: Endpoint, parameter: Parameter, number: int) -> click.Option:
    dest, names = f"{PREFIX}{number}", list(flags(row, parameter))
    told = _told(parameter)
    if parameter.type == "boolean":
        return click.Option([dest, "/".join((names[0], f"--no-{names[0][2:]}"))], default=None, help=told)
    kind: click.ParamType[Any] = click.STRING
    if parameter.enum and parameter.type in ("string", "integer", "any"):
        kind = click.Choice(tuple(dict.fromkeys(str(one) for one in parameter.enum)))
    return click.Option(
        [dest, *names],
        type=kind,
        multiple=takes_several(parameter),
        help=told,
        metavar=_metavar(parameter, kind),
    )


def _metavar(parameter: Parameter, kind: click.ParamType[Any]) -> str | None:
    if isinstance(kind, click.Choice):
        short = len("|".join(kind.choices)) <= _LONGEST_ENUM
        return None if short else "CHOICE"
    if parameter.format in _FORMATS:
        return _FORMATS[parameter.format]
    if parameter.fields or (parameter.items == "object"):
        return "JSON"
    return _METAVARS.get(parameter.items or parameter.type, "TEXT")


def _told(parameter: Parameter) -> str:
    notes = []
    if parameter.required and parameter.default is None:
        notes.append("required")
    if parameter.default is not None:
        notes.append(f"default: {parameter.default}")
    if takes_several(parameter):
        notes.append("may be given several times")
    if len("|".join(map(str, parameter.enum))) > _LONGEST_ENUM:
        notes.append("one of " + ", ".join(map(str, parameter.enum)))
    if parameter.fields:
        inner = [one.name + ("" if one.required else "?") for one in parameter.fields if not one.filled]
        notes.append("fields: " + ", ".join(inner))
    text = parameter.description.replace("`", "")
    return f"{text}  [{'; '.join(notes)}]" if notes else text
