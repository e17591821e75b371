from collections import Counter
from collections.abc import Iterator

import pytest

from app.mixpanel.catalog.catalog import CATALOG
from app.mixpanel.catalog.deviations import DEVIATIONS
from app.mixpanel.catalog.row import Endpoint
from tests.unit.mixpanel.catalog.comparing import Difference, differences
from tests.unit.mixpanel.catalog.published import Facts, Operation, operations

# An endpoint that takes one of several bodies has a row for each, and one for all of them.
PIPELINES = operations()["create-warehouse-pipeline"].bodies
KINDS = [fields["type"]["enum"][0] for fields in PIPELINES]


def of_operation(operation: str) -> list[Endpoint]:
    return [row for row in CATALOG.values() if row.operation == operation]


def fields(row: Endpoint, published: Operation) -> dict[str, Facts] | None:
    """Give the fields of the body that the row is of."""
    if not published.described:
        return None  # the description is a text in prose
    if len(published.bodies) == 1:
        return published.bodies[0]
    kind = row.name.partition("-")[2]
    return published.bodies[KINDS.index(kind)] if kind else None


def everything() -> Iterator[Difference]:
    for row in CATALOG.values():
        if row.operation is not None:
            published = operations()[row.operation]
            yield from differences(row, published, fields(row, published))


def test_every_published_endpoint_has_a_row_and_only_the_legacy_api_has_none_published() -> None:
    assert {row.operation for row in CATALOG.values() if row.operation} == operations().keys()
    assert {row.family for row in CATALOG.values() if row.operation is None} == {"legacy"}


def test_only_endpoints_with_several_bodies_have_several_rows() -> None:
    counts = Counter(row.operation for row in CATALOG.values() if row.operation)
    wanted = {name: 1 if len(one.bodies) == 1 else 1 + len(KINDS) for name, one in operations().items()}
    assert counts == wanted


def test_nothing_differs_but_what_is_written_down_with_its_reason() -> None:
    written = {(one.operation, one.where, one.published, one.here) for one in DEVIATIONS}
    assert set(everything()) == written


@pytest.mark.parametrize("operation", ["create-warehouse-pipeline", "edit-warehouse-pipeline"])
def test_the_row_for_any_type_takes_what_each_type_takes(operation: str) -> None:
    whole = next(row for row in of_operation(operation) if "-" not in row.name)
    bodies = operations()[operation].bodies
    taken = {one.name: one for one in whole.of("form")}
    assert taken.keys() == {name for body in bodies for name in body}
    for name, parameter in taken.items():
        alike = [body[name] for body in bodies if name in body]
        assert parameter.required == all(name in body and body[name]["required"] for body in bodies), name
        assert {parameter.type} == {facts["type"] for facts in alike}, name
        assert set(parameter.enum) == {value for facts in alike for value in facts["enum"]}, name


@pytest.mark.parametrize("name", ["create-identity", "create-alias"])
def test_an_event_that_goes_as_text_consists_of_what_the_published_example_does(name: str) -> None:
    row = CATALOG["identity", name]
    example = operations()[row.operation or ""].bodies[0]["data"]["example"]
    (event, properties) = next(row.of("form")).fields
    assert event.default == example["event"]
    assert {one.name for one in properties.fields} == example["properties"].keys()
