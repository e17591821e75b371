"""What planning a window has to know beyond the log, kept with the window.

Names and memberships change while a window is tried again. With what the first try knew, every try plans the
same rounds: one that is finished can then be left out, and nothing is sent after what was meant to follow it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from app.destinations.waiting.hold import NOBODY, Hold


@dataclass(frozen=True, slots=True)
class Known:
    """What a window's plan rests on.

    Attributes:
        cohorts: (id, name) of every cohort, where the window takes anything away.
        carried: (cohort id, name, digest) of what members there may carry by other rules than the window's.
        present: cohort id -> who of those asked about was a member.
        hold: whose updates wait for a link.
    """

    cohorts: tuple[tuple[str, str], ...] = ()
    carried: tuple[tuple[str, str, str], ...] = ()
    present: Mapping[str, frozenset[str]] = field(default_factory=dict)
    hold: Hold = NOBODY

    def to_json(self) -> bytes:
        """Encode; a few bytes unless cohorts claim the same values, or somebody waits."""
        present = {cohort_id: sorted(ids) for cohort_id, ids in self.present.items()}
        carried = {"carried": self.carried} if self.carried else {}
        return orjson.dumps({"cohorts": self.cohorts, **carried, "present": present, **self.hold.to_json()})

    @classmethod
    def from_json(cls, encoded: bytes) -> "Known":
        """Decode what `to_json` encoded."""
        stored = orjson.loads(encoded)
        return cls(
            cohorts=tuple((cohort_id, name) for cohort_id, name in stored["cohorts"]),
            carried=tuple((cohort_id, name, rules) for cohort_id, name, rules in stored.get("carried", ())),
            present={cohort_id: frozenset(ids) for cohort_id, ids in stored["present"].items()},
            hold=Hold.from_json(stored),
        )
