"""Windows of the outbox that holds events, submitted by services.

A submitted record is a whole event, checked and with its `time` and `$insert_id`: it is sent as it stands, so
that a repetition is the same event to Mixpanel.
"""

from app.destinations.outbox import Submission
from app.destinations.plan import Plan, Round
from app.destinations.source import Delivery, Keep, OutboxSource, kept
from config.projects import Project


class EventsOutboxSource(OutboxSource):
    """Hand submitted events on."""

    def plan(self, project: Project, delivery: Delivery[Submission], keep: Keep = kept) -> tuple[Plan, bytes]:
        """Plan a window: one round, in the order of submission."""
        del project, keep
        records = [record for submission in delivery.entries for record in submission.records if record]
        return Plan((Round(records),)), b"{}"
