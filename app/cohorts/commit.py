"""Everything that one step of the apply lane writes: all of it, or nothing.

A step is at most 250 members' entries, a log entry for what changed, and the progress that goes with them. It
is guarded by the lane's fencing token, so a holder that was taken over changes nothing.
"""

import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from redis import Redis

from app.cohorts.buckets import bucket_of
from app.cohorts.record import CohortRecord
from app.lanes.lanes import HeldLane, LaneLost, Lanes
from app.lanes.work import LaneKind, Readers, profiles_only
from app.store import keys, scripts

CHUNK = 250
"""Members a script handles at most, so that none blocks Redis for long."""

Arg = str | bytes | int | float


class StaleStep(Exception):  # noqa: N818 - a state that the caller can only run into by a fault
    """The cohort is not as the step before left it, so what the commit was computed with is out of date."""


@dataclass(frozen=True, slots=True)
class NewEntry:
    """An entry that is to be appended to the change log; the fields are those of `changelog.Entry`."""

    kind: str
    cause: str
    cohort_id: str
    cohort_name: str
    session_id: str
    time_ms: int
    entered: Sequence[Any] = ()
    exited: Sequence[str] = ()
    updated: Sequence[Any] = ()
    old_names: Sequence[str] = ()
    rules: str = ""
    old_rules: Sequence[tuple[str, str]] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)

    def counted(self) -> Iterator[tuple[str, int]]:
        """Yield counters that grow with the entry: `<cause>:<kind of change>`, and by how much."""
        if self.kind == "changes":
            for change in ("entered", "exited", "updated"):
                if number := len(getattr(self, change)):
                    yield f"{self.cause}:{change}", number

    def encoded(self) -> list[Arg]:
        """Return names and values as the stream holds them."""
        data = {
            name: value
            for name in ("entered", "exited", "updated", "old_names", "rules", "old_rules", "detail")
            if (value := getattr(self, name))
        }
        return [
            *("kind", self.kind, "cause", self.cause, "cohort_id", self.cohort_id),
            *("cohort_name", self.cohort_name, "session_id", self.session_id),
            *("time_ms", self.time_ms, "data", orjson.dumps(data)),
        ]


@dataclass(slots=True)
class Commit:
    """Collects what a step writes. Sealed once complete: it then holds the cohort as it is at that moment.

    Attributes:
        lane: on whose behalf.
        record: the cohort; its hash is written with every commit.
        log: entries to append.
        commands: (key, name, arguments) of plain single-key commands.
        puts: bucket number -> packed id -> packed entry.
        drops: bucket number -> packed ids.
        sealed: the cohort's hash as of the sealing.
        expected: the cohort's steps before this one. Steps go out together, and one may be refused (no
            memory, too few replicas) while Redis takes the next: those behind a gap must change nothing.
    """

    lane: HeldLane
    record: CohortRecord
    log: list[NewEntry] = field(default_factory=list)
    commands: list[tuple[str, str, list[Arg]]] = field(default_factory=list)
    puts: dict[int, dict[bytes, bytes]] = field(default_factory=dict)
    drops: dict[int, list[bytes]] = field(default_factory=dict)
    sealed: dict[str, Any] = field(default_factory=dict)
    expected: int | None = None

    def put(self, packed_id: bytes, packed_entry: bytes) -> None:
        """Write a member's entry."""
        self.puts.setdefault(bucket_of(packed_id, self.record.buckets), {})[packed_id] = packed_entry

    def drop(self, packed_id: bytes) -> None:
        """Remove a member's entry."""
        self.drops.setdefault(bucket_of(packed_id, self.record.buckets), []).append(packed_id)

    def do(self, key: str, name: str, *args: Arg) -> None:
        """Run one plain command on one key."""
        self.commands.append((key, name, list(args)))

    def seal(self) -> "Commit":
        """Fix the cohort's state that goes with this step, before the next step changes it further."""
        self.expected = self.record.step
        self.record.step += 1
        self.sealed = self.record.to_hash()
        return self


class Committer:
    """Sends commits as one script each."""

    def __init__(self, redis: Redis, lanes: Lanes, readers: Readers = profiles_only) -> None:
        self._readers = readers
        self._redis = redis
        self._lanes = lanes
        self._script = scripts.load(redis, "cohorts/scripts/commit.lua")

    def run(self, commits: Sequence[Commit]) -> list[int]:
        """Commit steps of one lane in order, in one round trip.

        Returns:
            The log's sequences of their entries.

        Raises:
            LaneLost: the lane is somebody else's by now; that step and those behind it are not written.
            StaleStep: the same, for a cohort that is not as the step before should have left it.
        """
        calls = [_arguments(commit, self._readers(commit.lane.project_id)) for commit in commits]
        answers = scripts.run_all(self._redis, self._script, calls)
        sequences: list[int] = []
        for commit, answer in zip(commits, answers, strict=True):
            if answer[0] == 0:
                raise LaneLost(commit.lane.name)
            if answer[0] < 0:
                raise StaleStep(commit.record.cohort_id)
            project_id = commit.lane.project_id
            for lane, wake in zip(self._readers(project_id), answer[2:], strict=True):
                self._lanes.enqueue(project_id, lane.name, wake)
            sequences += range(answer[1] - len(commit.log) + 1, answer[1] + 1) if commit.log else ()
        return sequences


def candidate_generation() -> str:
    """Return a name for the log's generation, if it has none yet.

    Two projects that begin in the same millisecond have different ones: a subscriber of both drops what has
    an id that it had.
    """
    return f"{time.time_ns() // 1_000_000:x}{secrets.token_hex(2)}"


def _arguments(commit: Commit, readers: Sequence[LaneKind]) -> tuple[list[str], list[Arg]]:
    project_id, cohort_id = commit.lane.project_id, commit.record.cohort_id
    names = [
        commit.lane.key,
        keys.cohort(project_id, cohort_id),
        keys.log(project_id),
        keys.log_meta(project_id),
        *(keys.lane(project_id, lane.name) for lane in readers),
    ]
    index = {name: place for place, name in enumerate(names, start=1)}
    args: list[Arg] = [
        commit.lane.token,
        "" if commit.expected is None else commit.expected,
        candidate_generation(),
        len(readers),
        len(commit.log),
    ]
    for entry in commit.log:
        args += entry.encoded()
    for key, name, rest in (*_commands(commit), *_counting(commit)):
        if key not in index:
            names.append(key)
            index[key] = len(names)
        args += [index[key], len(rest), name, *rest]
    return names, args


def _counting(commit: Commit) -> list[tuple[str, str, list[Arg]]]:
    """Count changes in the step that makes them: no crash counts one twice, or none."""
    counts = Counter[str]()
    for entry in commit.log:
        for counter, number in entry.counted():
            counts[counter] += number
    key = keys.log_meta(commit.lane.project_id)
    return [(key, "HINCRBY", [counter, number]) for counter, number in counts.items()]


def _commands(commit: Commit) -> list[tuple[str, str, list[Arg]]]:
    project_id, cohort_id = commit.lane.project_id, commit.record.cohort_id
    commands: list[tuple[str, str, list[Arg]]] = []
    for number, entries in commit.puts.items():
        flat: list[Arg] = [part for pair in entries.items() for part in pair]
        commands.append((keys.bucket(project_id, cohort_id, number), "HSET", flat))
    for number, packed_ids in commit.drops.items():
        commands.append((keys.bucket(project_id, cohort_id, number), "HDEL", list(packed_ids)))
    commands += commit.commands
    if commit.sealed:
        record = [part for pair in commit.sealed.items() for part in pair]
        commands.append((keys.cohort(project_id, cohort_id), "HSET", record))
    return commands
