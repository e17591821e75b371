"""The sandbox's inspection endpoints: look at Mixpanel's side, and turn its knobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

SYNC_TIMEOUT_S = 60.0


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

    def fault(self, kind: str, *, side: str = "api", **details: Any) -> None:
        """Inject a fault: the next request only, unless `count` says otherwise (None: until cleared)."""
        self._call("POST", "/faults", {"side": side, "kind": kind, **details})

    def faults_left(self, side: str) -> int:
        """Count the faults that have still to strike."""
        return sum(fault["side"] == side for fault in self._call("GET", "/faults")["faults"])

    def clear_faults(self) -> None:
        self._call("DELETE", "/faults")

    def set(self, **groups: Mapping[str, Any]) -> None:
        """Change settings: `habits`, `limits`, `sender`."""
        self._call("POST", "/settings", groups)

    def let_pass(self, seconds: float) -> None:
        """Move the sandbox's clock ahead."""
        self._call("POST", "/clock", {"advance_s": seconds})

    def counters(self) -> dict[str, int]:
        """Return the totals of what came in (`engage_...`) and went out (`webhook_...`)."""
        counters: dict[str, int] = self._call("GET", "/counters")["counters"]
        return counters

    def _call(
        self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        response = requests.request(
            method, f"{self._url}{path}", json=body, params=query, timeout=SYNC_TIMEOUT_S
        )
        assert response.ok, f"{method} {path}: {response.status_code} {response.text}"
        answer: dict[str, Any] = response.json()
        return answer
