"""Calls of what takes events, updates and tables in."""

from collections.abc import Iterator
from typing import Any

import orjson

from tests.integration.sandbox.openapi.call import TOKEN, Published

TABLE = "55b4fb2b-e8de-466c-930f-8b36640b9b5e"
EVENT = {
    "event": "E",
    "properties": {"token": TOKEN, "distinct_id": "a", "$insert_id": "i", "time": 1_700_000_000},
}


def ingestion() -> Iterator[Published]:
    strictly = {"query": {"strict": "1"}}
    yield Published("import-events", "POST", "/import", said=strictly | {"json": [EVENT]})
    yield Published("import-events", "POST", "/import", 400, strictly | {"json": [{"event": "E"}]})
    merged = {"event": "$merge", "properties": {"$distinct_ids": ["a", "b"], "token": TOKEN}}
    yield Published("identity-merge", "POST", "/import", 400, strictly | {"json": [merged]})
    yield Published("list-lookup-tables", "GET", "/lookup-tables")
    table = {"data": b"id,name\n1,One\n", "content_type": "text/csv"}
    yield Published("replace-lookup-table", "PUT", f"/lookup-tables/{TABLE}", said=table)
    wrong = {"data": b"id,name\n,One\n2\n", "content_type": "text/csv"}
    yield Published("replace-lookup-table", "PUT", f"/lookup-tables/{TABLE}", 400, wrong)
    yield Published("replace-lookup-table", "PUT", "/lookup-tables/none", 404, table)
    yield Published("track-event", "POST", "/track", said={"json": [EVENT]})
    ids = {"$identified_id": "user", "$anon_id": "6a2d5a6c-0a2e-4c59-8a3c-6f1d7a3b9c10"}
    yield _verb("create-identity", "$identify", ids)
    yield _verb("identity-create-alias", "$create_alias", {"distinct_id": "user", "alias": "other"})
    yield from _updates("/engage", "$distinct_id", _OF_PEOPLE)
    yield from _updates("/groups", "$group_key", _OF_GROUPS)


def _verb(operation: str, name: str, ids: dict[str, str]) -> Published:
    data = orjson.dumps({"event": name, "properties": {"token": TOKEN, **ids}}).decode()
    return Published(operation, "POST", "/track", said={"data": {"data": data}})


_SET = {"$set": {"a": 1}}
_OF_PEOPLE: dict[str, dict[str, Any]] = {
    "profile-set": _SET,
    "profile-set-property-once": {"$set_once": {"a": 1}},
    "profile-numerical-add": {"$add": {"a": 1}},
    "user-profile-union": {"$union": {"b": ["x"]}},
    "profile-append-to-list-property": {"$append": {"b": "x"}},
    "profile-remove-from-list-property": {"$remove": {"b": "x"}},
    "profile-delete-property": {"$unset": ["b"]},
    "profile-batch-update": _SET,
    "delete-profile": {"$delete": "null"},
}
_OF_GROUPS: dict[str, dict[str, Any]] = {
    "group-set-property": _SET,
    "group-set-property-once": {"$set_once": {"a": 1}},
    "group-delete-property": {"$unset": ["a"]},
    "group-remove-from-list-property": {"$remove": {"b": "x"}},
    "group-union": {"$union": {"b": ["x"]}},
    "group-batch-update": _SET,
    "delete-group": {"$delete": ""},
}


def _updates(path: str, key: str, updates: dict[str, dict[str, Any]]) -> Iterator[Published]:
    for name, update in updates.items():
        record = {"$token": TOKEN, key: "k", "$group_id": "g", **update}
        yield Published(name, "POST", path, said={"json": [record]})
