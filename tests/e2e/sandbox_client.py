"""The sandbox's inspection endpoints: look at Mixpanel's side, and turn its knobs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

SYNC_TIMEOUT_S = 60.0
PAGE = 10_000


@dataclass(frozen=True)
class Sync:
    """What became of one cohort's sync: `state` is done, failed, paused or skipped."""

    cohort_id: int
    cohort_name: str
    session_id: str
    state: str
    kind: str
    entered: int
    exited: int
    members: int
    pages: int
    reason: str


@dataclass(frozen=True)
class Event:
    """An event as Mixpanel shows it: once, however often it came, under the person's canonical id."""

    event: str
    time_ms: int
    distinct_id: str
    received_distinct_id: str
    insert_id: str
    properties: dict[str, Any]
    arrivals: int


@dataclass(frozen=True)
class Link:
    """A link as it came, and what became of it: merged, repeated or refused."""

    verb: str
    first: str
    second: str
    outcome: str
    reason: str


class SandboxClient:
    """Talks to `<url>/sandbox/...`."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/sandbox"

    def sync(self, cohort_id: int | None = None, *, full: bool = False) -> list[Sync]:
        """Sync one cohort or all, one after another, and wait until that is done; `full` sends `members`."""
        chosen = {} if cohort_id is None else {"cohort_id": cohort_id}
        answer = self._call("POST", "/sync", {"full": full, **chosen})
        return [Sync(**{name: each[name] for name in Sync.__dataclass_fields__}) for each in answer["syncs"]]

    def churn(self, share: float) -> None:
        """Exchange up to twice that part of every cohort."""
        self._call("POST", "/churn", {"share": share})

    def move(self, cohort_id: int, enter: Sequence[str] = (), leave: Sequence[str] = ()) -> None:
        """Let people enter and leave a cohort; nothing is sent by that."""
        self._call("POST", f"/cohorts/{cohort_id}/members", {"enter": list(enter), "leave": list(leave)})

    def rename(self, cohort_id: int, name: str) -> None:
        self._call("PATCH", f"/cohorts/{cohort_id}", {"name": name})

    def forget(self, cohort_id: int) -> None:
        """Drop a cohort's snapshot: its next sync is a first one, whatever was sent before."""
        self._call("POST", f"/cohorts/{cohort_id}/forget-snapshot")

    def cohorts(self) -> dict[int, str]:
        """Return the cohorts' names by id."""
        return {each["cohort_id"]: each["name"] for each in self._call("GET", "/cohorts")["cohorts"]}

    def current(self, cohort_id: int) -> set[str]:
        """Return who is in a cohort now."""
        return set(self._call("GET", f"/cohorts/{cohort_id}/members")["current"])

    def told(self, cohort_id: int) -> set[str]:
        """Return who was in a cohort at its last successful sync; fails if there was none."""
        snapshot = self._call("GET", f"/cohorts/{cohort_id}/members")["snapshot"]
        assert snapshot is not None, f"cohort {cohort_id} was never synced"
        return set(snapshot)

    def carrying(self, name: str) -> set[str]:
        """Return the profiles whose list `Cohorts` holds a name."""
        query = {"property": "Cohorts", "value": name}
        return set(self._call("GET", "/profile-ids", query=query)["distinct_ids"])

    def carried(self) -> dict[str, int]:
        """Return how often each value stands in the profiles' lists `Cohorts`."""
        counts: dict[str, int] = self._call("GET", "/list-values")["values"]
        return counts

    def profile(self, distinct_id: str) -> dict[str, Any] | None:
        """Return the properties of the person that an id belongs to, or None without a profile."""
        found = requests.get(f"{self._url}/profiles/{_quoted(distinct_id)}", timeout=SYNC_TIMEOUT_S)
        assert found.status_code in {200, 404}, found.text
        return found.json()["properties"] if found.ok else None

    def events(self, name: str | None = None, person: str | None = None) -> list[Event]:
        """Return the events, each once, of a name, of a person (by any of the person's ids), or all."""
        found = self._pages("/events", "events", event=name, distinct_id=person)
        return [Event(**{each: one[each] for each in Event.__dataclass_fields__}) for one in found]

    def event_counts(self, person: str | None = None) -> dict[str, int]:
        """Return how many events there are of each name, of everybody or of one person."""
        counts: dict[str, int] = self._call("GET", "/event-counts", query=_given(distinct_id=person))[
            "events"
        ]
        return counts

    def arrival_counts(self) -> dict[str, int]:
        """Return how often events of each name came, repeated ones included."""
        counts: dict[str, int] = self._call("GET", "/event-counts")["arrivals"]
        return counts

    def repeated(self) -> list[tuple[str, int]]:
        """Return the `$insert_id` of each event that came more than once, and how often it did."""
        return [(one["insert_id"], one["arrivals"]) for one in self._pages("/arrivals", "arrivals")]

    def groups(self, group_key: str | None = None) -> dict[tuple[str, str], dict[str, Any]]:
        """Return the properties of group profiles by key and id."""
        query = _given(group_key=group_key, limit=str(PAGE))
        found = self._call("GET", "/groups", query=query)["groups"]
        return {(each["group_key"], each["group_id"]): each["properties"] for each in found}

    def cluster(self, distinct_id: str) -> tuple[str, set[str]]:
        """Return the canonical id of a person, and all of the person's ids."""
        found = self._call("GET", f"/clusters/{_quoted(distinct_id)}")
        return found["canonical"], set(found["ids"])

    def clusters(self) -> dict[str, set[str]]:
        """Return everybody who has several ids: those, by canonical id."""
        return {one["canonical"]: set(one["ids"]) for one in self._pages("/clusters", "clusters")}

    def links(self) -> list[Link]:
        """Return the links that came, in their order; a device's only when it was linked or refused."""
        found = self._pages("/links", "links")
        return [Link(**{each: one[each] for each in Link.__dataclass_fields__}) for one in found]

    def fault(self, kind: str, *, side: str = "api", **details: Any) -> None:
        """Inject a fault: the next request only, unless `count` says otherwise (None: until cleared).

        An API fault strikes whatever comes next, or with `path` (such as `/import`) there only.
        """
        self._call("POST", "/faults", {"side": side, "kind": kind, **details})

    def faults_left(self, side: str) -> int:
        """Count the faults that have still to strike."""
        return sum(fault["side"] == side for fault in self._call("GET", "/faults")["faults"])

    def clear_faults(self) -> None:
        self._call("DELETE", "/faults")

    def set(self, **groups: Mapping[str, Any]) -> None:
        """Change settings: `habits`, `limits`, `api`, `sender`."""
        self._call("POST", "/settings", groups)

    def let_pass(self, seconds: float) -> None:
        """Move the sandbox's clock ahead."""
        self._call("POST", "/clock", {"advance_s": seconds})

    def counters(self) -> dict[str, int]:
        """Return the totals of what came in (`engage_...`, `import_...`) and went out (`webhook_...`)."""
        counters: dict[str, int] = self._call("GET", "/counters")["counters"]
        return counters

    def _pages(self, path: str, name: str, **query: str | None) -> Iterator[dict[str, Any]]:
        after: str | None = None
        while True:
            page = self._call("GET", path, query=_given(limit=str(PAGE), after=after, **query))
            yield from page[name]
            if page["next"] is None:
                return
            after = str(page["next"])

    def _call(
        self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        response = requests.request(
            method, f"{self._url}{path}", json=body, params=query, timeout=SYNC_TIMEOUT_S
        )
        assert response.ok, f"{method} {path}: {response.status_code} {response.text}"
        answer: dict[str, Any] = response.json()
        return answer


def _given(**query: str | None) -> dict[str, str]:
    return {name: value for name, value in query.items() if value is not None}


def _quoted(distinct_id: str) -> str:
    return quote(distinct_id, safe="")
