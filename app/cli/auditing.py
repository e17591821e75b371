"""Write changing commands into the audit log: the one place that every such command goes through."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import click
from redis import RedisError

from app.access.audit import Entry
from app.access.operator import operator
from app.services import Services
from app.store.faults import redis_word

OK, FAILED = "ok", "failed"


@dataclass
class Note:
    """What a command adds to its entry.

    Attributes:
        resources: ids of what it is about.
        counts: what it came to.
        status: that it ends with, where it does not leave by an exception.
    """

    resources: dict[str, str]
    counts: dict[str, int] = field(default_factory=dict)
    status: int = 0


@contextmanager
def audited(services: Services, action: str, **resources: str | None) -> Iterator[Note]:
    """Record a command with what it comes to, also where it fails or is broken off.

    A command that has done its work does not fail because this cannot be written; a line on standard error
    says so.

    Args:
        services: of the command.
        action: its name, such as `tokens revoke`.
        resources: ids of what it is about; those that are None are left out. No distinct_ids: pass what
            `app.access.audit.hashed` makes of them.

    Yields:
        a note for what is known only later, such as the id of what was made.
    """
    note = Note({name: value for name, value in resources.items() if value is not None})
    outcome, status = FAILED, 1
    try:
        yield note
        status = note.status
        outcome = OK if status == 0 else FAILED
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        outcome = OK if status == 0 else FAILED
        raise
    except click.ClickException as error:
        outcome, status = "refused", error.exit_code
        raise
    except (click.Abort, KeyboardInterrupt):
        outcome = "aborted"
        raise
    finally:
        entry = Entry(operator(), f"flask {action}", note.resources, outcome, status, note.counts)
        _write(services, entry)


def _write(services: Services, entry: Entry) -> None:
    try:
        services.audit.write(entry)
    except RedisError as error:
        click.echo(f"The audit log could not be written: {redis_word(error)}.", err=True)
