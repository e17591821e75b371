"""Read the value of an argument as its parameter describes it, and write it as a request carries it.

Values come as JSON has them (from services) or as text (from a command line or an address): `"12"` is a whole
number where one is wanted, `"true"` a boolean, `'["a"]'` a list. A message says what is wrong and never
repeats the value.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final, NoReturn, TypeVar
from uuid import UUID

import orjson

from app.mixpanel.catalog.row import Parameter, Type

_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_FALSE: Final = frozenset({"false", "0", "no", "off"})
_DAY_CHARS: Final = 10
Number = TypeVar("Number", int, float)


class InvalidValue(ValueError):  # noqa: N818 - a sentence about the value
    """Say what a value has to be, and where within the argument.

    Attributes:
        path: Where, such as `[3].properties.time`; empty: the argument itself.
        what: What is wrong.
    """

    def __init__(self, what: str, path: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.path = path


def read(parameter: Parameter, value: Any) -> Any:
    """Give the value with the parameter's type.

    Raises:
        InvalidValue: It has none that the parameter takes.
    """
    if value is None and parameter.nullable:
        return None
    if parameter.repeated and parameter.type != "array" and isinstance(value, list | tuple):
        return [read(parameter, one) for one in value]
    found = (_encoded if parameter.encoded else _READERS[parameter.type])(parameter, value)
    chosen = found if isinstance(found, list) else [found]
    if parameter.enum and any(one not in parameter.enum for one in chosen):
        _wrong("must be one of: " + ", ".join(str(one) for one in parameter.enum))
    return found


def written(value: Any) -> str:
    """Write a value as an address, a form or a header carries it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode()
    return str(value)


def pairs(parameter: Parameter, value: Any) -> Iterator[tuple[str, str]]:
    """Write an argument as the pairs of an address or a form."""
    if parameter.repeated and isinstance(value, list):
        yield from ((parameter.name, written(one)) for one in value)
    else:
        yield parameter.name, written(value)


def read_object(fields: tuple[Parameter, ...], value: Mapping[str, Any]) -> dict[str, Any]:
    """Read the documented fields of an object; others pass as they are.

    Raises:
        InvalidValue: A field is wrong or missing.
    """
    found = dict(value)
    for field in fields:
        if field.name in value and (value[field.name] is not None or field.nullable):
            try:
                found[field.name] = read(field, value[field.name])
            except InvalidValue as error:
                raise InvalidValue(error.what, _join(field.name, error.path)) from None
        elif field.required and field.default is not None:
            found[field.name] = field.default
        elif field.required and not field.filled:
            raise InvalidValue("is missing", field.name)
    return found


def _string(parameter: Parameter, value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        _wrong("must be text")
    if parameter.max_length is not None and len(value) > parameter.max_length:
        _wrong(f"must have at most {parameter.max_length} characters")
    if parameter.format:
        _formatted(parameter.format, value)
    return value


def _formatted(name: str, value: str) -> None:
    try:
        if name == "date" and len(value) == _DAY_CHARS:
            date.fromisoformat(value)
        elif name == "date":
            _wrong("must be a day, such as 2026-08-31")
        elif name == "date-time":
            datetime.fromisoformat(value)
        elif name == "uuid":
            UUID(value)
        elif name == "uuid4" and UUID(value).version != 4:  # noqa: PLR2004 - the format's name
            _wrong("must be a UUID of version 4")
    except InvalidValue:
        raise
    except ValueError:
        what = {"date": "a day, such as 2026-08-31", "date-time": "a time, such as 2026-08-31T12:00:00Z"}
        raise InvalidValue(f"must be {what.get(name, 'a UUID')}") from None


def _integer(parameter: Parameter, value: Any) -> int:
    if isinstance(value, str):
        try:
            value = int(value.strip())
        except ValueError:
            _wrong("must be a whole number")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        _wrong("must be a whole number")
    return _bounded(parameter, value)


def _number(parameter: Parameter, value: Any) -> int | float:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            _wrong("must be a number")
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        _wrong("must be a number")
    return _bounded(parameter, value)


def _bounded(parameter: Parameter, value: Number) -> Number:
    if parameter.minimum is not None and value < parameter.minimum:
        _wrong(f"must be {parameter.minimum} or more")
    if parameter.maximum is not None and value > parameter.maximum:
        _wrong(f"must be {parameter.maximum} or less")
    return value


def _boolean(_parameter: Parameter, value: Any) -> bool:
    text = str(value).strip().lower() if isinstance(value, str | int) else ""
    if text not in _TRUE | _FALSE:
        _wrong("must be true or false")
    return text in _TRUE


def _array(parameter: Parameter, value: Any) -> list[Any]:
    if isinstance(value, str):
        value = _json(value) if value.lstrip().startswith("[") else [value]
    if not isinstance(value, list | tuple):
        _wrong("must be a list")
    if parameter.min_items is not None and len(value) < parameter.min_items:
        _wrong(f"must have {parameter.min_items} elements or more")
    if parameter.max_items is not None and len(value) > parameter.max_items:
        _wrong(f"must have {parameter.max_items} elements or fewer")
    return [_element(parameter, number, one) for number, one in enumerate(value)]


def _element(parameter: Parameter, number: int, value: Any) -> Any:
    if parameter.items is None:
        return value
    inner = Parameter(parameter.name, parameter.where, parameter.items, fields=parameter.fields)
    try:
        return _READERS[parameter.items](inner, value)
    except InvalidValue as error:
        raise InvalidValue(error.what, _join(f"[{number}]", error.path)) from None


def _object(parameter: Parameter, value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = _json(value)
    if not isinstance(value, Mapping):
        _wrong("must be an object (names and values)")
    return read_object(parameter.fields, value)


def _any(_parameter: Parameter, value: Any) -> Any:
    return value


def decoded(parameter: Parameter, value: Any) -> list[Any] | dict[str, Any]:
    """Give what an encoded parameter's JSON text stands for; the value may come as that or as the text.

    Raises:
        InvalidValue: It is neither a list nor an object.
    """
    if isinstance(value, str):
        lone = parameter.type == "array" and not value.lstrip().startswith("[")
        value = [value] if lone else _json(value)
    if not isinstance(value, list | tuple | Mapping):
        _wrong('must be a list or an object, in JSON: ["a", "b"]')
    if parameter.type == "array":
        return _array(parameter, value)
    return read_object(parameter.fields, value) if isinstance(value, Mapping) else list(value)


def _encoded(parameter: Parameter, value: Any) -> str:
    return orjson.dumps(decoded(parameter, value)).decode()


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise InvalidValue('must be JSON, such as ["a", "b"]') from None


def _join(name: str, path: str) -> str:
    return f"{name}{path}" if not path or path.startswith("[") else f"{name}.{path}"


def _wrong(what: str) -> NoReturn:
    raise InvalidValue(what)


_READERS: Final[Mapping[Type, Callable[[Parameter, Any], Any]]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "array": _array,
    "object": _object,
    "any": _any,
}
