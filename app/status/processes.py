"""Which processes live, by the signs of life that they leave."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.lanes.work import QUEUES, WEBHOOKS
from app.status.checks import Check, Verdict

# Workers and the clock give a sign of life every 5 s; six of them missing is no hiccup of a busy machine.
ALIVE_WITHIN_S: Final = 30.0
WORKER: Final = "worker"
CLOCK: Final = "clock"


@dataclass(frozen=True, slots=True)
class Process:
    """A process that has shown itself within the last hour.

    Attributes:
        name: its role, machine and process id.
        role: `clock`, or `worker-` and its queues.
        age_s: seconds since its last sign of life.
        alive: whether that is recent.
    """

    name: str
    role: str
    age_s: float
    alive: bool

    def serves(self, queue: str) -> bool:
        """Whether it works on a queue."""
        kind, *queues = self.role.split("-")
        return kind == WORKER and queue in queues


def processes(beats: Mapping[str, float]) -> list[Process]:
    """Return the processes by name.

    Args:
        beats: seconds since the last sign of life, by process name.
    """
    return [
        Process(name, name.partition("@")[0], age_s, age_s <= ALIVE_WITHIN_S)
        for name, age_s in sorted(beats.items())
    ]


def all_living(found: Sequence[Process]) -> Iterator[Check]:
    """Check that every queue has a worker alive, and that a clock is.

    Without one for subscribers' webhooks nothing is wrong with what Mixpanel sends: that is a warning.
    """
    for queue in QUEUES:
        serving = [each for each in found if each.serves(queue)]
        verdict: Verdict = "warn" if queue == WEBHOOKS.queue else "fail"
        yield _living(f"{WORKER}-{queue}", serving, verdict)
    yield _living(CLOCK, [each for each in found if each.role == CLOCK])


def _living(name: str, found: Sequence[Process], verdict: Verdict = "fail") -> Check:
    ages_s = sorted(each.age_s for each in found)
    alive = [each for each in found if each.alive]
    if alive:
        return Check(name, "ok", f"{len(alive)} alive, last sign {ages_s[0]:.0f} s ago")
    last = f"last sign {ages_s[0]:.0f} s ago" if ages_s else "no sign of life"
    return Check(name, verdict, last, "start the process; what arrives is kept meanwhile")
