import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from app.mixpanel.catalog import catalog, page
from app.mixpanel.catalog.catalog import CATALOG, of_family
from app.mixpanel.catalog.families import FAMILIES, LIMITS
from app.mixpanel.catalog.row import Endpoint, Parameter
from config.projects import Hosts

NAME = re.compile(r"[a-z]+(-[a-z0-9]+)*")
REFERENCE = Path(__file__).parents[4] / "docs" / "mixpanel-api.md"
PYTHON = {
    "string": str,
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "array": list,
    "object": dict,
}

every_row = pytest.mark.parametrize("row", CATALOG.values(), ids=lambda row: ".".join(row.key))


def all_of(parameters: Iterable[Parameter]) -> Iterator[Parameter]:
    for one in parameters:
        yield one
        yield from all_of(one.fields)


def test_no_two_rows_share_a_name() -> None:
    assert len(CATALOG) == sum(len(module.ENDPOINTS) for module in catalog._MODULES)


def test_every_family_is_described_and_has_rows() -> None:
    assert {row.family for row in CATALOG.values()} == FAMILIES.keys()
    assert all(list(of_family(name)) for name in FAMILIES)


@every_row
def test_a_row_fits_its_path_body_and_family(row: Endpoint) -> None:
    assert NAME.fullmatch(row.family)
    assert NAME.fullmatch(row.name)
    assert {one.name for one in row.of("path")} == set(re.findall(r"\{(\w+)\}", row.path))
    assert row.host in {one.name for one in fields(Hosts)}
    assert (row.budget is None) or row.budget in LIMITS
    assert row.docs.startswith("https://docs.mixpanel.com/reference/")
    kinds = {one.where for one in row.of("form", "json")}
    assert kinds <= {row.body.kind}
    assert row.method != "GET" or (row.reads and row.body.kind == "none")
    assert row.summary
    assert not row.summary.endswith(".")


@every_row
def test_only_what_reads_is_kept_and_what_reads_may_be_repeated(row: Endpoint) -> None:
    assert row.reads or row.cache_s is None
    assert row.idempotent or not row.reads


@every_row
def test_the_parameters_of_a_part_have_names_of_their_own(row: Endpoint) -> None:
    names = [(one.where, one.name) for one in row.parameters]
    assert len(names) == len(set(names))
    assert all(one.required for one in row.of("path"))


@every_row
def test_defaults_and_values_are_of_their_parameters_type(row: Endpoint) -> None:
    for one in all_of(row.parameters):
        assert one.description.endswith("."), one.name
        for value in (*one.enum, *([] if one.default is None else [one.default])):
            assert isinstance(value, PYTHON[one.type]), one.name
            assert isinstance(value, bool) == (one.type == "boolean"), one.name
        assert one.default is None or not one.enum or one.default in one.enum, one.name
        assert not (one.items and one.type != "array"), one.name
        assert not one.sent or one.default is not None, one.name


def test_a_batch_sends_no_operation_that_nobody_named() -> None:
    for row in (CATALOG["ingestion", "profile-batch"], CATALOG["ingestion", "group-batch"]):
        operations = [one for one in row.of("json") if one.name not in {"$token", "$distinct_id"}]
        assert all(one.default is None or not one.sent for one in operations)


@pytest.mark.parametrize("kind", ["profile", "group"])
def test_a_batch_takes_what_the_single_operations_take(kind: str) -> None:
    batch = {one.name: one for one in CATALOG["ingestion", f"{kind}-batch"].of("json")}
    single = [
        row for (_, name), row in CATALOG.items() if name.startswith(f"{kind}-") and "batch" not in name
    ]
    alike = [{one.name: one for one in row.of("json")} for row in single]
    added = {"$add"} if kind == "group" else set()  # no endpoint adds to groups, but a batch may
    assert batch.keys() == {name for row in alike for name in row} | added
    for name, one in batch.items():
        assert one.required == all(name in row for row in alike), name
        assert {one.type} == {row[name].type for row in alike if name in row} | {one.type}, name


def test_what_adds_or_creates_twice_is_never_repeated_by_itself() -> None:
    names = {name for (_, name), row in CATALOG.items() if not row.idempotent}
    assert {"profile-add", "profile-append", "profile-batch", "group-batch", "track", "create"} <= names
    assert not {"import", "profile-set", "profile-union", "group-set", "funnels"} & names


def test_the_reference_page_is_what_the_catalog_gives() -> None:
    assert REFERENCE.read_text() == page.render(), (
        "run: python -m app.mixpanel.catalog > docs/mixpanel-api.md"
    )
