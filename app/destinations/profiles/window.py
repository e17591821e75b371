"""The changes of a window: who is concerned by which operations, entry by entry."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from app.cohorts.changelog import Entry
from app.destinations.profiles.causes import Act, acts
from app.destinations.profiles.claims import Claims
from app.destinations.profiles.operations import COUNTS, Op, expand
from config.rules import RuleSet
from config.templates import Context

Member = tuple[str, Mapping[str, Any]]
Removal = tuple[str, str, bytes]
_NO_OTHERS: Final[Mapping[str, RuleSet]] = MappingProxyType({})
_WAYS: Final[Mapping[str, str]] = MappingProxyType({"x": "exited", "e": "entered", "u": "updated"})


class Group(NamedTuple):
    """Members that an entry names in one way, and what that causes.

    Attributes:
        project_id: whose entry it is.
        entry: the entry.
        way: "x" exited, "e" entered, "u" updated; part of the marks.
        acts: what to do, for each of the members.
    """

    project_id: str
    entry: Entry
    way: str
    acts: tuple[Act, ...]

    @property
    def ids(self) -> Sequence[str]:
        """The members' distinct_ids."""
        if self.way == "x":
            return self.entry.exited
        return [distinct_id for distinct_id, _ in self._named]

    @property
    def places(self) -> Iterable[int]:
        """The members' places in the entry as it was written: whoever is left out of it moves nobody."""
        return self.entry.places.get(_WAYS[self.way], range(len(self.ids)))

    @property
    def members(self) -> Iterator[Member]:
        """The members with the properties that the log carries."""
        return zip(self.entry.exited, repeat({}), strict=False) if self.way == "x" else iter(self._named)

    @property
    def _named(self) -> tuple[Member, ...]:
        return self.entry.entered if self.way == "e" else self.entry.updated

    @property
    def shared(self) -> bool:
        """Whether it is the same for every member, down to the bytes."""
        return not any(_personal(act) or act.operation.kind in COUNTS for act in self.acts)

    def ops(self, member: Member = ("", {}), position: int = 0) -> Iterator[Op]:
        """Render what happens to one member; without one, what happens to each where it is shared."""
        context: Context | None = None
        for number, act in enumerate(self.acts):
            if context is None or context.cohort_name != act.cohort_name:
                context = self._context(act.cohort_name, member)
            rendered = act.operation.rendered(context)
            if rendered is not None:
                kind = act.operation.kind
                mark = self._mark(position, number) if kind in COUNTS else ""
                yield from expand(kind, *rendered, leaving=act.leaving, mark=mark)

    def claimed(self, claims: Claims) -> dict[Removal, frozenset[str]]:
        """Name the removals that other cohorts' members are spared, and these cohorts."""
        plain = self._replace(acts=tuple(act for act in self.acts if act.leaving and not _personal(act)))
        carried = self.way == "x"
        found = {
            removal_of(op): claims.others(self.entry.cohort_id, op, carried=carried) for op in plain.ops()
        }
        return {removal: others for removal, others in found.items() if others}

    def _context(self, cohort_name: str, member: Member) -> Context:
        entry = self.entry
        return Context(
            self.project_id,
            entry.cohort_id,
            cohort_name,
            entry.session_id,
            entry.time_ms,
            member[0],
            member[1],
        )

    def _mark(self, position: int, number: int) -> str:
        """Name one operation for one member, the same at every try of the window."""
        return f"{self.entry.generation}-{self.entry.sequence}-{self.way}{position}.{number}"


def removal_of(op: Op) -> Removal:
    """Say what an operation takes away, whoever it is taken from."""
    return op.kind, op.property, op.key


def groups(
    project_id: str,
    entries: Sequence[Entry],
    rules: RuleSet,
    others: Mapping[str, RuleSet] = _NO_OTHERS,
) -> list[Group]:
    """Sort out whom a window concerns; within an entry, exits come first.

    Args:
        project_id: whose.
        entries: the window.
        rules: by which it is delivered.
        others: rules that its entries name as old ones, by digest.
    """
    found = []
    for entry in entries:
        caused = acts(entry, rules, others)
        found += [
            Group(project_id, entry, way, of_way)
            for way, of_way, members in (
                ("x", caused.exited, entry.exited),
                ("e", caused.entered, entry.entered),
                ("u", caused.updated, entry.updated),
            )
            if of_way and members
        ]
    return found


def _personal(act: Act) -> bool:
    return "distinct_id" in act.operation.names or bool(act.operation.members_used())
