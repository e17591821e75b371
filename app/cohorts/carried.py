"""What the members of a cohort may carry on their profiles: which rules wrote there, under which name.

Every entry of the log says by which rules it is delivered, whichever process delivers it. Whoever enters gets
what those rules write, and the cohort remembers that some members may carry it until all were migrated. So an
exit can take away everything that may be there, with processes of old and new rules side by side, too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Written = tuple[str, str]
"""Digest of a rule set, and the cohort's name, that profiles were written with."""


@dataclass(slots=True)
class Migration:
    """Members being brought from what old rules wrote to what others write.

    Attributes:
        target: digest of the rules that they are brought to.
        at_ms: when that was asked for.
        old: what they may carry, from before it began.
        again: of that, what some may have got since.
        copies: whether the new rules write values of members that the old ones did not, so that whatever
            brings a member's values next must count as news.
        cursor: the next bucket to visit.
    """

    target: str
    at_ms: int
    old: list[Written] = field(default_factory=list)
    again: list[Written] = field(default_factory=list)
    copies: bool = False
    cursor: int = 0

    def to_json(self) -> list[Any]:
        """Return a JSON form."""
        return [self.target, self.at_ms, self.old, self.again, self.copies, self.cursor]

    @classmethod
    def from_json(cls, data: list[Any]) -> "Migration":
        """Read the JSON form."""
        target, at_ms, old, again, copies, cursor = data
        return cls(target, at_ms, pairs(old), pairs(again), copies, cursor)


@dataclass(slots=True)
class Carried:
    """What members of one cohort may carry.

    Attributes:
        written: by which rules, under which name; each once.
        migration: one that is not through.
    """

    written: list[Written] = field(default_factory=list)
    migration: Migration | None = None

    def resolve(self, first: str) -> None:
        """Say which rules are meant by the first ones that are known."""
        self.written = [(digest or first, name) for digest, name in self.written]

    def others(self, current: Written) -> list[Written]:
        """Return what members may carry besides what is written now."""
        return [each for each in self.written if each != current]

    def note(self, current: Written, is_settled: Callable[[Written, Written], bool]) -> None:
        """Note that something is written; it stands for whatever comes to the same.

        Args:
            current: the rules and the name.
            is_settled: whether whoever has the first has all of the second, and no more.
        """
        migration = self.migration
        if migration and current in migration.old and current not in migration.again:
            migration.again.append(current)
        if current not in self.written:
            self.written = [each for each in self.written if not is_settled(each, current)]
            self.written.append(current)

    def begin(self, target: Written, at_ms: int, *, copies: bool) -> None:
        """Begin to bring everybody to what `target` writes; a migration under way begins anew."""
        self.migration = Migration(target[0], at_ms, self.others(target), copies=copies)

    def renamed(self, rules: str, old_names: Sequence[str], name: str) -> None:
        """Forget what a rename took away; a migration under way begins anew, with the new name."""
        self.written = [each for each in self.written if each[0] != rules or each[1] not in old_names]
        if self.migration:
            self.begin((self.migration.target, name), self.migration.at_ms, copies=self.migration.copies)

    def complete(self) -> None:
        """Forget what nobody carries any more."""
        migration = self.migration
        if migration:
            gone = [each for each in migration.old if each not in migration.again]
            self.written = [each for each in self.written if each not in gone]
            self.migration = None


def pairs(data: list[list[str]]) -> list[Written]:
    """Read pairs from JSON."""
    return [(digest, name) for digest, name in data]
