"""States of the relay to look at: all is well, but for what a test changes."""

from dataclasses import replace
from typing import Any

from app.cohorts.registry import Cohort
from app.destinations.held import NOT_HELD
from app.destinations.status import DestinationStatus
from app.lanes.state import LaneState
from app.status.overview import InboxStatus, OutboxStatus, Overview, ProjectStatus, QueueStatus
from app.status.processes import processes

NOW_MS = 1_754_386_200_000
"""2025-08-05 09:30:00 UTC."""
MIB = 1024 * 1024


def cohort(cohort_id: str = "7", **changes: Any) -> Cohort:
    plain = Cohort(
        id=cohort_id,
        name="VIP",
        description="",
        members=1234,
        partial="",
        suspect="",
        synced_ms=NOW_MS - 5_000,
        renaming_from=(),
        quarantined=0,
        buckets=14,
        tombstones=0,
    )
    return replace(plain, **changes)


def destination(**changes: Any) -> DestinationStatus:
    plain = DestinationStatus(
        cursor=10,
        behind=0,
        unit="entries",
        lag_s=0.0,
        state="ok",
        reason="",
        since_ms=None,
        tries=0,
        delivered=5678,
        dead_lettered=0,
        advanced_ms=NOW_MS - 3_000,
    )
    return replace(plain, **changes)


def inbox(pages: int = 0, size_bytes: int = 0) -> InboxStatus:
    return InboxStatus(pages, size_bytes, soft_cap_bytes=64 * MIB, hard_cap_bytes=256 * MIB)


def outbox(records: int = 0, size_bytes: int = 0) -> OutboxStatus:
    return OutboxStatus(records, size_bytes, cap_bytes=128 * MIB)


def project(**changes: Any) -> ProjectStatus:
    plain = ProjectStatus(
        id="1001",
        name="Shop",
        region="eu",
        held=NOT_HELD,
        inbox=inbox(),
        set_aside=0,
        log_end=10,
        lanes=[LaneState("apply", "idle", "", None, None), LaneState("profiles", "idle", "", None, None)],
        destinations={"profiles": destination()},
        outboxes={},
        dead_letters=0,
        dead_letters_dropped=0,
        quarantined=0,
        cohorts=[cohort()],
    )
    return replace(plain, **changes)


def overview(*projects: ProjectStatus, **changes: Any) -> Overview:
    roles = ("clock", "worker-apply", "worker-mixpanel", "worker-webhooks")
    alive = {f"{role}@host-{number}": float(number) for number, role in enumerate(roles, 1)}
    plain = Overview(
        at_ms=NOW_MS,
        projects=projects or (project(),),
        processes=processes(alive),
        queues=(QueueStatus("apply", 0, 1), QueueStatus("mixpanel", 0, 1)),
    )
    return replace(plain, **changes)
