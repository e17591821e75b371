"""Windows of the identity outbox, as waves of links."""

from app.destinations.identity.ledger import Ledger
from app.destinations.identity.links import Link
from app.destinations.identity.pending import PendingLinks
from app.destinations.identity.preflight import System
from app.destinations.identity.waves import waves
from app.destinations.outbox import Outboxes, Submission
from app.destinations.plan import Plan, Round
from app.destinations.source import Delivery, Keep, OutboxSource, kept
from config.projects import Project


class LinksSource(OutboxSource):
    """Put submitted links into waves.

    A round is a wave. Its `once` are the links as they were submitted, each under its place in the outbox:
    what is sent of them, and in which requests, is decided when it is the wave's turn.

    Args:
        outboxes: where links wait.
        ledger: what was linked.
        pending: the index of who waits.
    """

    def __init__(self, outboxes: Outboxes, ledger: Ledger, pending: PendingLinks) -> None:
        super().__init__(outboxes, "identity")
        self._ledger = ledger
        self._pending = pending

    def plan(self, project: Project, delivery: Delivery[Submission], keep: Keep = kept) -> tuple[Plan, bytes]:
        """Plan a window. What was settled by an earlier try is linked already, or noted as refused."""
        self._pending.catch_up(project.id, delivery.end)
        keep()
        found = [
            (f"{submission.sequence}.{index}", record)
            for submission in delivery.entries
            for index, record in enumerate(submission.records)
            if record  # it may have been erased
        ]
        links = [Link.from_json(record) for _, record in found]
        clusters = self._ledger.clusters(project.id, (node for link in links for node in link.nodes))
        plan = waves(links, System.of(project), clusters, keep)
        return Plan(tuple(Round(once=[found[at] for at in wave]) for wave in plan)), b"{}"
