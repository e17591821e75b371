"""Raw events, day by day, to a file that can be gone on with, or to a stream.

A request is made for each step (a day, unless told otherwise), since an export that broke off can only be
begun anew: what is complete of it stays. Mixpanel allows 60 an hour, so a step of several days is faster for
long periods, and loses more when it breaks off.
"""

import gzip
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final

from app.mixpanel.calling.api import MixpanelApi
from app.mixpanel.calling.failures import CallFailed
from app.mixpanel.calling.journal import Exported, Journal, opened
from app.mixpanel.calling.options import AS_LONG_AS_IT_TAKES, AT_ONCE, DEFAULT, NO_RETRIES, Options, Wait
from config.projects import Project

_LEVEL: Final = 3


def untold(_exported: Exported) -> None:
    """Tell nobody."""


class Exporter:
    """Export a project's raw events.

    Args:
        api: Makes the requests.
        project: Whose.
        arguments: Of the endpoint, without the period.
        step_days: Days of a request. A `limit` is of the whole export, which then is one request.
        wait: For slots of the budget.
        options: How to make the calls.
        tell: Is told of progress, often.
    """

    def __init__(
        self,
        api: MixpanelApi,
        project: Project,
        arguments: Mapping[str, Any] | None = None,
        *,
        step_days: int = 1,
        wait: Wait = AS_LONG_AS_IT_TAKES,
        options: Options = DEFAULT,
        tell: Callable[[Exported], None] = untold,
    ) -> None:
        self._api = api
        self._project = project
        self._arguments = dict(arguments or {})
        self._step_days = 0 if "limit" in self._arguments else max(step_days, 1)
        self._wait = wait
        self._options = options
        self._tell = tell

    def to_stream(self, out: BinaryIO, first: date, last: date) -> Exported:
        """Write the events to a stream, such as standard output.

        Raises:
            CallFailed: It broke off; the text names the day to begin again at. What was written of that day
                cannot be taken back.
        """
        done = _begin(first, last)
        for begin, end in self._steps(first, last):
            try:
                done = self._step(out, (begin, end), done, self._wait, self._options)
            except CallFailed as error:
                raise _from(begin, error) from error
        return done

    def to_file(self, path: Path, first: date, last: date, *, compress: bool = False) -> Exported:
        """Write the events to a file; called again, it goes on where the last whole step ended.

        Until it is complete, a file of the same name with `.progress` stands beside it. Only the file's owner
        may read it: it tells what people did.

        Args:
            path: Where.
            first: First day.
            last: Last day.
            compress: Write gzip, a member for each step.

        Raises:
            NotResumable: The file is there and not a part of this same export, or somebody is writing it.
            CallFailed: It broke off; the steps that are complete stay.
            OSError: The file cannot be written.
        """
        journal = Journal(path, self._wanted(first, last, compress=compress))
        journal.read(_begin(first, last))
        with opened(path) as file:
            done, size = journal.read(_begin(first, last))
            journal.write(done, size)
            for begin, end in self._steps(done.next_day, last):
                done = self._tried(file, size, begin, end, done, compress=compress)
                file.flush()
                os.fsync(file.fileno())
                size = file.tell()
                journal.write(done, size)
        journal.remove()
        return done

    def _tried(
        self, file: BinaryIO, size: int, begin: date, end: date, done: Exported, *, compress: bool
    ) -> Exported:
        """Write a step, from its beginning each time it breaks off."""
        patience = self._api.patience(self._wait, self._options, idempotent=True)
        once = replace(self._options, retries=NO_RETRIES)  # the waiting is done here
        while True:
            file.seek(size)
            file.truncate()
            try:
                with _packed(file, compress=compress) as out:
                    return self._step(out, (begin, end), done, AT_ONCE, once)
            except CallFailed as error:
                try:
                    patience.after(error)
                except CallFailed:
                    file.seek(size)
                    file.truncate()
                    raise _from(begin, error) from error

    def _step(
        self, out: BinaryIO, days: tuple[date, date], done: Exported, wait: Wait, options: Options
    ) -> Exported:
        begin, end = days
        period = {"from_date": begin.isoformat(), "to_date": end.isoformat()}
        arguments = {**self._arguments, **period}
        with self._api.stream(
            self._project, "export", "events", arguments, wait=wait, options=options
        ) as stream:
            for block in stream.blocks():
                out.write(block)
                done = replace(
                    done, events=done.events + block.count(b"\n"), size_bytes=done.size_bytes + len(block)
                )
                self._tell(done)
        days_done = done.days_done + (end - begin).days + 1
        done = replace(done, next_day=end + timedelta(days=1), days_done=days_done)
        self._tell(done)
        return done

    def _steps(self, first: date, last: date) -> Iterator[tuple[date, date]]:
        begin = first
        while begin <= last:
            end = min(begin + timedelta(days=self._step_days - 1), last) if self._step_days else last
            yield begin, end
            begin = end + timedelta(days=1)

    def _wanted(self, first: date, last: date, *, compress: bool) -> dict[str, Any]:
        period = {"from": first.isoformat(), "to": last.isoformat(), "gzip": compress}
        return {"project": self._project.id, "arguments": self._arguments, **period}


def _begin(first: date, last: date) -> Exported:
    return Exported(first, last, days=max((last - first).days + 1, 0))


@contextmanager
def _packed(file: BinaryIO, *, compress: bool) -> Iterator[BinaryIO]:
    if not compress:
        yield file
        return
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=_LEVEL, mtime=0) as packed:
        yield packed  # type: ignore[misc] # it writes bytes, which is all that is asked of it


def _from(day: date, error: CallFailed) -> CallFailed:
    """Add to an error the day from which the export has to go on."""
    details = f"{error.details} The days before {day} are complete: begin again at {day}.".strip()
    return CallFailed(
        error.problem,
        error.where,
        status=error.status,
        details=details,
        answered=error.answered,
        retry_after_s=error.retry_after_s,
        cause=error.cause,
    )
