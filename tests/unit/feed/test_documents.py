"""The schemas and examples of events, and that every kind of the log's entries has one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from cloudevents.core.formats.json import JSONFormat
from jsonschema import Draft202012Validator, FormatChecker

from app.feed.encoding import Encoder
from app.feed.schemas import FOLDER, schemas
from app.feed.types import CHANGES, OF_KIND, PREFIX, TOLD, TYPES, UNTOLD, UNTOLD_KINDS, VERSION

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "events.md").read_text()
KIND = re.compile(r"[a-z_]+\.[a-z_]*")
SAYS_KINDS = {"NewEntry", "entry", "append", "_log"}
"""Functions that are called with the kind of an entry."""

names = pytest.mark.parametrize("name", sorted(each.removeprefix(PREFIX) for each in TYPES))


@names
def test_a_types_schema_is_one_and_its_example_conforms(name: str) -> None:
    schema = schemas()[name, VERSION]
    Draft202012Validator.check_schema(schema.schema)
    validator = Draft202012Validator(schema.schema, format_checker=FormatChecker())
    validator.validate(schema.example["data"])
    assert schema.schema["title"] == schema.example["type"] == schema.type


@names
def test_an_example_is_a_cloudevent_as_the_relay_writes_it(name: str) -> None:
    example = dict(schemas()[name, VERSION].example)
    read = JSONFormat().read(None, orjson.dumps(example))
    assert (
        read.get_id() == f"{example['generation']}-{int(example['sequence'])}-{example['id'].split('-')[2]}"
    )
    assert read.get_dataschema() == f"{Encoder('https://relay.example.com')._schemas}/{name}/{VERSION}"


@names
def test_the_page_says_what_a_type_means_and_links_its_schema(name: str) -> None:
    assert f"](events/{name}.v{VERSION}.schema.json)" in PAGE
    assert f"](events/{name}.v{VERSION}.example.json)" in PAGE


def test_there_are_no_schemas_of_other_types() -> None:
    expected = {
        f"{each.removeprefix(PREFIX)}.v{VERSION}.{part}.json"
        for each in TYPES
        for part in ("schema", "example")
    }
    assert {path.name for path in FOLDER.iterdir()} == expected


def kinds_in(path: Path) -> Iterator[str]:
    """Yield the kinds of entries that a file appends; of one that is put together, how it begins."""
    tree = ast.parse(path.read_text())
    constants = {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant)
        for target in ([node.target] if isinstance(node, ast.AnnAssign) else node.targets)
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }
    for node in ast.walk(tree):
        called = node.func if isinstance(node, ast.Call) else None
        named = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
        if isinstance(node, ast.Call) and named in SAYS_KINDS:
            given = [*node.args, *(each.value for each in node.keywords if each.arg == "kind")]
            texts = (text for each in given for text in said(each, constants))
            yield from (text for text in texts if KIND.fullmatch(text))
        elif isinstance(node, ast.Tuple | ast.IfExp):  # tables of kinds, and choices between them
            yield from (
                each.value
                for each in ast.iter_child_nodes(node)
                if isinstance(each, ast.Constant)
                and isinstance(each.value, str)
                and each.value.partition(".")[0] in LIFE
                and KIND.fullmatch(each.value)
            )


LIFE = {kind.partition(".")[0] for kind in OF_KIND} - {"batch"}


def said(node: ast.AST, constants: dict[str, Any]) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name) if name in constants:
            yield constants[name]
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            yield text


def test_every_kind_of_entry_has_a_type() -> None:
    found = {
        kind
        for package in ("app", "workers")
        for path in (ROOT / package).rglob("*.py")
        if not path.is_relative_to(ROOT / "app" / "sandbox")
        and not path.is_relative_to(ROOT / "app" / "feed")
        for kind in kinds_in(path)
    }
    assert {"batch.dead_lettered", "sync.started", "sync.completed", "cohort.renamed"} <= found
    known = {*OF_KIND, *UNTOLD_KINDS, CHANGES}
    missing = {kind for kind in found if not any(each.startswith(kind) for each in known)}
    assert not missing, "give these a type (app/feed/types.py), a schema and an example (docs/events/)"


def test_every_cause_that_is_documented_is_told_or_is_not() -> None:
    table = (ROOT / "docs" / "architecture.md").read_text().partition("| cause |")[2].partition("\n\n")[0]
    causes = set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE))
    assert causes
    assert causes <= TOLD | UNTOLD
    assert not TOLD & UNTOLD
