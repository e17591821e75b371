"""Reading a YAML file strictly: surprises of YAML 1.1 are off, and every value remembers its line.

Plain YAML 1.1 reads `no` as false, `0123` as 83 and `2026-08-01` as a date, and lets the second of two
equal keys win silently. A rule written so would do something else than it says.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import ReaderError

Path = tuple[str | int, ...]
_REFERENCE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# Characters for private use, one for one, so that the columns in messages stay right.
_OPEN: Final = "\ue000"
_CLOSE: Final = "\ue001"


class DocumentError(Exception):
    """A text that is not YAML; the message names the line."""


@dataclass(frozen=True, slots=True)
class Document:
    """What the file says.

    `lines` gives the line (from 1) of each path; `duplicates` are the paths that are written twice.
    """

    data: Any
    lines: Mapping[Path, int] = field(default_factory=dict)
    duplicates: tuple[Path, ...] = ()

    def line(self, path: Path) -> int | None:
        """Give the line of a path, or of the nearest thing around it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None


class _Loader(yaml.SafeLoader):
    """SafeLoader with the plain scalars of YAML 1.2's core schema."""


_TAG: Final = "tag:yaml.org,2002:"
# Plain scalars: the pattern and the characters it can start with.
_SCALARS: Final = {
    "bool": (r"true|false", "tf"),
    "null": (r"~|null|", ["~", "n", ""]),
    "int": (r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    "float": (r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+([eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)", "-+0123456789"),
    "merge": (r"<<", "<"),
}
_Loader.yaml_implicit_resolvers = {}
for _name, (_pattern, _first) in _SCALARS.items():
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"^(?:{_pattern})$"), list(_first))
# Only what JSON knows: no dates, sets or binary data.
_Loader.yaml_constructors = {
    tag: yaml.SafeLoader.yaml_constructors[tag]
    for tag in (None, *(_TAG + name for name in ("bool", "null", "int", "str", "seq", "map")))
}
# SafeLoader's own reads YAML 1.1's base-60 numbers.
_Loader.add_constructor(_TAG + "float", lambda _, node: float(node.value))


def read_document(text: str) -> Document:
    """Parse YAML.

    Raises:
        DocumentError: it is not YAML, or not a single document.
    """
    try:
        loader = _Loader(_guarded(text))
        node = loader.get_single_node()
        if node is None:
            return Document(None)
        _unguard(node)
        places = list(_places((), node))
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        raise DocumentError(_explained(error)) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise DocumentError(f"line {line}: holds a character that YAML does not allow") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DocumentError(f"cannot be read ({type(error).__name__})") from None
    lines: dict[Path, int] = {}
    duplicates: list[Path] = []
    for path, place in places:
        if path in lines:
            duplicates.append(path)
        lines[path] = place.start_mark.line + 1
    return Document(data, lines, tuple(dict.fromkeys(duplicates)))


def _guarded(text: str) -> str:
    """Let `${NAME}` stand without quotes within braces, where YAML would take it for an object."""
    return _REFERENCE.sub(f"${_OPEN}\\1{_CLOSE}", text)


def _unguard(node: Node) -> None:
    if isinstance(node, ScalarNode):
        node.value = node.value.replace(f"${_OPEN}", "${").replace(_CLOSE, "}")
    elif isinstance(node, SequenceNode):
        for item in node.value:
            _unguard(item)
    elif isinstance(node, MappingNode):
        for pair in node.value:
            for item in pair:
                _unguard(item)


def _explained(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{where}{error.problem or error.context}"


def _places(path: Path, node: Node) -> Iterator[tuple[Path, Node]]:
    yield path, node
    if isinstance(node, ScalarNode) and not _encodable(node.value):
        raise yaml.MarkedYAMLError(None, None, "half a character (a lone surrogate)", node.start_mark)
    if isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from _places((*path, index), item)
    elif isinstance(node, MappingNode):
        for key, item in node.value:
            if isinstance(key, ScalarNode):
                yield from _places((*path, key.value), item)


def _encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
