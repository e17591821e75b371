"""What a project has proven about its sender."""

from dataclasses import asdict, dataclass
from typing import Any

REVOKED = -10


@dataclass(slots=True)
class Trust:
    """How much a project's habits can be relied upon; everything from nothing.

    Attributes:
        torn: above 0, a call with pages missing has failed.
        add: above 0, an add call without its remove call has failed.
        remove: above 0, a remove call without its add call has failed.
        restart: above 0, an export restarted under its old id had failed before.
        one_id: one session id was used for both calls of a sync.
        across: pages were counted across both calls.
        per_call: one page number was used in both calls, so pages are counted a call.
    """

    torn: int = 0
    add: int = 0
    remove: int = 0
    restart: int = 0
    one_id: bool = False
    across: bool = False
    per_call: bool = False

    def of(self, kind: str) -> int:
        """Return the trust in one kind of failure; none in what is no kind."""
        return int(getattr(self, kind)) if kind else 0

    def learn(self, kind: str) -> None:
        """Take a habit as shown once, unless it was refuted before."""
        if self.of(kind) == 0:
            setattr(self, kind, 1)

    def confirm(self, kind: str) -> None:
        """Count a failure of this kind that evidence has proven."""
        setattr(self, kind, self.of(kind) + 1)

    def revoke(self, kind: str) -> None:
        """Trust no more, for long, a kind that only looked like a failure; one refutation is enough."""
        setattr(self, kind, REVOKED)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON form."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Trust":
        """Read the JSON form."""
        return cls(**data)
