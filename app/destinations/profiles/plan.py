"""Plan a window of the change log, purely: groups of changes in, rounds of encoded records out.

One question has to be answered from the membership first: is somebody who leaves a cohort still in another
one that claims the same value? `questions` asks it, only of cohorts whose claims overlap (usually none);
`plan` is given the answers. They are as of now, not as of the window: whoever left the other cohort since is
in a later entry, which takes the value away then.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.destinations.plan import Plan
from app.destinations.profiles.claims import Claims
from app.destinations.profiles.encoding import encode, give_up_unusable, profile_head
from app.destinations.profiles.operations import Op
from app.destinations.profiles.programs import History, Program, Programs
from app.destinations.profiles.window import Group, Removal, removal_of
from app.destinations.source import Keep, kept
from app.destinations.waiting.hold import take_out

Present = Mapping[str, frozenset[str]]


def questions(groups: Iterable[Group], claims: Claims) -> dict[str, list[str]]:
    """Ask who of those who leave is still a member elsewhere: cohort id -> distinct_ids, each once."""
    asked: dict[str, dict[str, None]] = {}
    for group in groups:
        for cohort_id in sorted(frozenset().union(*group.claimed(claims).values())):
            asked.setdefault(cohort_id, {}).update(dict.fromkeys(group.ids))
    return {cohort_id: list(ids) for cohort_id, ids in asked.items()}


def plan(
    groups: Iterable[Group],
    token: str,
    claims: Claims,
    present: Present,
    waiting: Sequence[str] = (),
    *,
    keep: Keep = kept,
) -> Plan:
    """Turn changes into rounds of records.

    Args:
        groups: the window, in the log's order.
        token: the project's token, which every record carries.
        claims: what the project's cohorts claim.
        present: the answers to `questions`: cohort id -> who of those asked about is a member.
        waiting: distinct_ids whose updates wait, in order.
        keep: keeps the lane meanwhile.
    """
    profiles = _Profiles()
    for group in groups:
        keep()
        spared = _Spared(group.claimed(claims), present)
        if not group.shared:
            profiles.step_each(group, spared)
        elif spared.ids:
            profiles.step_spared(group, spared)
        else:
            profiles.step_alike(group)
    given_up = give_up_unusable(profiles.histories)
    held = take_out(profiles.histories, waiting)
    return Plan(encode(profiles.histories, profile_head(token), keep), given_up, held)


class _Spared:
    """Which removals a member is spared.

    Attributes:
        ids: those who are spared anything.
    """

    def __init__(self, claimed: Mapping[Removal, frozenset[str]], present: Present) -> None:
        self._present = {
            removal: frozenset[str]().union(*(present.get(cohort_id, ()) for cohort_id in others))
            for removal, others in claimed.items()
        }
        self.ids = frozenset[str]().union(*self._present.values())

    def of(self, distinct_id: str) -> frozenset[Removal]:
        return frozenset(removal for removal, ids in self._present.items() if distinct_id in ids)


class _Profiles:
    """The profiles' histories, in the order of their first change."""

    def __init__(self) -> None:
        self.histories: dict[str, History] = {}
        self._beginning = History()
        self._programs = Programs()

    def step_alike(self, group: Group) -> None:
        """Let every member's history take the same step."""
        program = self._programs.of(group.ops())
        histories, beginning = self.histories, self._beginning
        for distinct_id in group.ids:
            history = histories.get(distinct_id, beginning)
            histories[distinct_id] = history.next.get(program) or history.then(program)

    def step_spared(self, group: Group, spared: _Spared) -> None:
        """Let every member's history take the same step, but for what some are spared."""
        ops = tuple(group.ops())
        programs: dict[frozenset[Removal], Program] = {}
        for distinct_id in group.ids:
            kept = spared.of(distinct_id)
            program = programs.get(kept)
            if program is None:
                program = programs[kept] = self._programs.of(_without(ops, kept))
            self.histories[distinct_id] = self.histories.get(distinct_id, self._beginning).then(program)

    def step_each(self, group: Group, spared: _Spared) -> None:
        """Let every member's history take a step of its own."""
        for position, member in zip(group.places, group.members, strict=True):
            distinct_id = member[0]
            ops = group.ops(member, position)
            if distinct_id in spared.ids:
                ops = _without(ops, spared.of(distinct_id))
            self.histories[distinct_id] = self.histories.get(distinct_id, self._beginning).then_only(ops)


def _without(ops: Iterable[Op], kept: frozenset[Removal]) -> Iterator[Op]:
    return (op for op in ops if removal_of(op) not in kept)
