"""Which events a subscriber wants."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final, Self

from app.cohorts.changelog import Entry
from app.feed.types import ALWAYS, PREFIX, TYPES


class InvalidFilter(ValueError):  # noqa: N818 - named as the edge's other errors are
    """A filter names what there is not; the message says which, and what there is."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Types and cohorts; with none of either, all. What is in `types.ALWAYS` is told whatever the filter.

    Attributes:
        types: as in `types.TYPES`.
        cohorts: ids, or patterns of names as rules have them (`*`, `?`, `[abc]`; case counts). With any,
            events about the project as a whole are left out.
    """

    types: frozenset[str] = frozenset()
    cohorts: tuple[str, ...] = ()

    @classmethod
    def parse(cls, types: Iterable[str] = (), cohorts: Iterable[str] = ()) -> Self:
        """Read what a person wrote: types can be patterns, and can leave `cohort-relay.` out.

        Raises:
            InvalidFilter: no type is so named.
        """
        chosen: set[str] = set()
        for written in types:
            full = written if written.startswith(PREFIX) else PREFIX + written
            found = {each for each in TYPES if fnmatchcase(each, full)}
            if not found:
                known = ", ".join(sorted(each.removeprefix(PREFIX) for each in TYPES))
                raise InvalidFilter(f"there are no events of this type; there are: {known}")
            chosen |= found
        return cls(frozenset(chosen), tuple(dict.fromkeys(cohorts)))

    def takes_type(self, name: str) -> bool:
        """Say whether events of a type are wanted."""
        return not self.types or name in self.types or name in ALWAYS

    def takes_entry(self, name: str, entry: Entry) -> bool:
        """Say whether the event of a lifecycle entry is wanted."""
        return name in ALWAYS or (self.takes_type(name) and self.takes_cohort(entry))

    def takes_cohort(self, entry: Entry) -> bool:
        """Say whether what an entry is about is wanted; of a rename, the old name counts, too."""
        if not self.cohorts:
            return True
        if not entry.cohort_id:
            return False
        names = (entry.cohort_name, *_old_names(entry.detail.get("from")))
        return any(
            wanted == entry.cohort_id or any(_fits(name, wanted) for name in names) for wanted in self.cohorts
        )


EVERYTHING: Final = EventFilter()
_SPECIAL: Final = frozenset("*?[")


def _fits(name: str, wanted: str) -> bool:
    """Say whether a name is the one that is wanted, or fits the pattern.

    A pattern is compiled, and only some ten thousand are remembered: ids and plain names need none.
    """
    return name == wanted if _SPECIAL.isdisjoint(wanted) else fnmatchcase(name, wanted)


def _old_names(stated: Any) -> tuple[str, ...]:
    if isinstance(stated, str):
        return (stated,)
    return tuple(stated) if isinstance(stated, list) else ()
