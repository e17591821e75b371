"""The one client of Mixpanel's API: the relay itself, the command line and the gateway call through it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any

from app.mixpanel.calling import credentials, verdicts
from app.mixpanel.calling.asking import SharedAsking
from app.mixpanel.calling.budgets import Budgets, FamilyLeft
from app.mixpanel.calling.building import Built, build
from app.mixpanel.calling.cache import Kept
from app.mixpanel.calling.failures import CallFailed, InvalidArguments, explain
from app.mixpanel.calling.options import AT_ONCE, DEFAULT, Options, Wait
from app.mixpanel.calling.patience import Patience
from app.mixpanel.calling.raw import RawRequest, build_raw
from app.mixpanel.calling.results import Result, result_of
from app.mixpanel.calling.streams import Stream
from app.mixpanel.calling.warnings import Warnings
from app.mixpanel.catalog.row import Budget, Endpoint
from app.mixpanel.errors import MixpanelError, Rejected, SessionExpired
from app.mixpanel.transport import Transport
from config.projects import Project

Catalog = Mapping[tuple[str, str], Endpoint]


class MixpanelApi:
    """Call any endpoint of the catalog, inside its budget.

    Args:
        transport: Makes the requests; its time-out is a request's unless the options say otherwise.
        budgets: Of all families.
        asking: Shares questions and answers with all other processes.
        catalog: The rows.
        sleep: Waits so many seconds.
        random: For jitter.
    """

    def __init__(
        self,
        transport: Transport,
        budgets: Budgets,
        asking: SharedAsking,
        catalog: Catalog,
        *,
        sleep: Callable[[float], None] = time.sleep,
        random: Random | None = None,
    ) -> None:
        self.catalog = catalog
        self._transport = transport
        self._budgets = budgets
        self._asking = asking
        self._sleep = sleep
        self._random = random
        self._warnings = Warnings()

    def call(
        self,
        project: Project,
        family: str,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        body: Any = None,
        wait: Wait = AT_ONCE,
        fresh: bool = False,
        options: Options = DEFAULT,
    ) -> Result:
        """Call an endpoint.

        Args:
            project: Whose.
            family: As the catalog names it.
            name: As the catalog names it.
            arguments: By the names of the row's parameters.
            body: The body, where it does not come as arguments: an object, a list of records, or text.
            wait: How long to wait for a slot of the budget.
            fresh: Take no answer that was asked for before this call.
            options: How to make the call.

        Raises:
            InvalidArguments: The endpoint does not take them; or there is no such endpoint.
            OutOfBudget: There is no slot within the time, and this is when there is one.
            CallFailed: Everything else; it says what to do.
            RedisError: Redis is away, and nothing can be counted.
        """
        row = self.endpoint(family, name)
        built = build(row, project, arguments or {}, options, body=body)
        patience = self.patience(wait, options, idempotent=row.idempotent)
        since_us = self._asking.now_us() if fresh else None
        while True:
            try:
                kept, shared = self._ask(built, project, row, since_us)
            except CallFailed as error:
                patience.after(error)
                built = build(row, project, arguments or {}, options, body=body)  # signatures expire
            else:
                return self._result(kept, built, from_cache=shared)

    def raw(
        self,
        project: Project,
        family: str,
        request: RawRequest,
        *,
        wait: Wait = AT_ONCE,
        options: Options = DEFAULT,
    ) -> Result:
        """Send any request to a family's host, with its credential, inside its budget.

        Raises:
            CallFailed: As `call`.
        """
        rows = [row for row in self.catalog.values() if row.family == family]
        if not rows:
            raise InvalidArguments(family, (("family", "is not known"),))
        patience = self.patience(wait, options, idempotent=request.repeatable)
        while True:
            built = build_raw(rows, project, request, options)
            try:
                return self._result(self._once(built, project, rows[0].budget), built, from_cache=False)
            except CallFailed as error:
                patience.after(error)

    @contextmanager
    def stream(
        self,
        project: Project,
        family: str,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        wait: Wait = AT_ONCE,
        options: Options = DEFAULT,
    ) -> Iterator[Stream]:
        """Call an endpoint whose answer may be of any length; its lines come as they arrive.

        What fails before the answer begins is tried again; later, the lines raise.

        Raises:
            CallFailed: As `call`.
        """
        row = self.endpoint(family, name)
        patience = self.patience(wait, options, idempotent=row.idempotent)
        while True:
            built = build(row, project, arguments or {}, options)
            opened = self._open(built, project, row)
            try:
                stream = opened.__enter__()
            except CallFailed as error:
                patience.after(error)
                continue
            break
        self._warnings.say(built.warning, project.id)
        with _closing(opened):
            yield stream

    def profiles(
        self,
        project: Project,
        arguments: Mapping[str, Any] | None = None,
        *,
        wait: Wait = AT_ONCE,
        options: Options = DEFAULT,
    ) -> Iterator[dict[str, Any]]:
        """Yield the pages of a query for profiles, to the last one.

        Raises:
            CallFailed: As `call`; `session_expired` where Mixpanel has forgotten the query meanwhile.
        """
        given: dict[str, Any] = {**(arguments or {}), "page": 0}
        while True:
            page = self.call(project, "query", "profiles", given, wait=wait, options=options).json()
            yield page
            if len(page.get("results", ())) < page.get("page_size", 1):
                return
            given |= {"page": given["page"] + 1, "session_id": page["session_id"]}

    def budget(self, project_id: str) -> Mapping[str, FamilyLeft]:
        """Say what every family's budget has room for now."""
        return self._budgets.left(project_id)

    def requests_left(self, project_id: str) -> Iterator[tuple[str, str, int]]:
        """Yield family, window (`1h`, `1m`, `1s`) and the requests that fit into it, for metrics."""
        return self._budgets.requests_left(project_id)

    def endpoint(self, family: str, name: str) -> Endpoint:
        """Find a row.

        Raises:
            InvalidArguments: There is none of that name.
        """
        row = self.catalog.get((family, name))
        if row is None:
            known = any(family == row.family for row in self.catalog.values())
            raise InvalidArguments(f"{family} {name}", (("endpoint" if known else "family", "is not known"),))
        return row

    def patience(self, wait: Wait, options: Options, *, idempotent: bool) -> Patience:
        """Give what a caller waits and tries again by.

        Raises:
            InvalidArguments: A request may not take that long.
        """
        most_s = self._transport.timeout_s  # the leases of budgets are made for it
        if options.timeout_s is not None and options.timeout_s > most_s:
            raise InvalidArguments("options", (("timeout_s", f"must be at most {most_s:g}"),))
        return Patience(wait, options.retries, idempotent=idempotent, sleep=self._sleep, random=self._random)

    def _ask(self, built: Built, project: Project, row: Endpoint, since_us: int | None) -> tuple[Kept, bool]:
        def once() -> Kept:
            return self._once(built, project, row.budget, row)

        if row.cache_s is None or not row.reads:
            return once(), False
        return self._asking.ask(built, row.cache_s, since_us, once)

    def _once(
        self, built: Built, project: Project, budget: Budget | None, row: Endpoint | None = None
    ) -> Kept:
        with _explaining(built, project, row):
            asked_us = self._asking.now_us()
            with self._budgets.slot(budget, project.id, built):
                answer = self._transport.send(built.call)
            verdicts.judge(built, answer, credentials.redactor_of(project))
        return Kept(answer.status, answer.content_type, answer.body, asked_us)

    @contextmanager
    def _open(self, built: Built, project: Project, row: Endpoint) -> Iterator[Stream]:
        with (
            _explaining(built, project, row),
            self._budgets.slot(row.budget, project.id, built) as hold,
            self._transport.stream(built.call) as streamed,
        ):
            yield Stream(streamed, hold, built.where)

    def _result(self, kept: Kept, built: Built, *, from_cache: bool) -> Result:
        self._warnings.say(built.warning, built.call.project_id)
        return result_of(kept, built.where, built.warning, from_cache=from_cache)


@contextmanager
def _closing(opened: Any) -> Iterator[None]:
    """Leave a context that was entered by hand."""
    try:
        yield
    except BaseException as error:
        if not opened.__exit__(type(error), error, error.__traceback__):
            raise
    else:
        opened.__exit__(None, None, None)


@contextmanager
def _explaining(built: Built, project: Project, row: Endpoint | None) -> Iterator[None]:
    """Turn what is raised below into what callers see."""
    try:
        yield
    except MixpanelError as error:
        redact = credentials.redactor_of(project)
        if row and row.host == "legacy" and (known := verdicts.legacy(error, built.where, redact)):
            raise known from error
        if built.follow_up and isinstance(error, Rejected) and error.status in (400, 404):
            gone = SessionExpired("", error.status)
            gone.said = error.said
            raise explain(gone, built.where, redact, row) from error
        raise explain(error, built.where, redact, row) from error
