"""The query API, as far as reconciling needs it: which cohorts there are, and who is in one.

Each call is one request and takes one slot of the project's budget; nothing here waits or tries twice. A
cohort is read page by page, and whoever remembers session and page can go on with another process tomorrow.
"""

from collections.abc import Sequence
from urllib.parse import urlencode

import orjson

from app.mixpanel import query_answers
from app.mixpanel.errors import CredentialRefused, Rejected, SessionExpired
from app.mixpanel.query_answers import Asked, ListedCohort, MembersPage
from app.mixpanel.request_budget import RequestBudget
from app.mixpanel.transport import Answer, Call, Transport
from config.projects import Project

PAGE_SIZE = 1_000  # usually, says the documentation; the answer says what it is
MAX_ANSWER_BYTES = 32 * 1024 * 1024  # 32 KB a member: the properties that are asked for, not whole profiles
MAX_LIST_BYTES = 8 * 1024 * 1024
# Without a list of properties every profile comes whole. This one says nothing of a person, and is dropped.
_NEXT_TO_NOTHING = ("$last_seen",)
_FORM = "application/x-www-form-urlencoded"
_GONE = frozenset({400, 404})


class Query:
    """Ask the query API of a project's region, within the project's budget.

    Args:
        transport: Makes the requests; its time-out is what a query may take.
        budget: The family's, shared with everybody who queries.
    """

    def __init__(self, transport: Transport, budget: RequestBudget) -> None:
        self.budget = budget
        self._transport = transport

    def cohorts(self, project: Project, *, spare: int = 0) -> list[ListedCohort]:
        """List the project's cohorts with their counts. One query, whatever their number.

        Args:
            project: Whose.
            spare: Queries of the hour to leave to others.

        Raises:
            OverBudget: No slot is free; nothing was asked.
            CredentialRefused: The project has no service account, or it was refused.
            MixpanelError: As `Transport.send`; `Retryable` also for an answer that cannot be read.

        Source: https://docs.mixpanel.com/reference/cohorts-list
        """
        call = self._call(project, "/cohorts/list", None, MAX_LIST_BYTES)
        with self.budget.slot(project.id, spare=spare):
            answer = self._transport.send(call)
        if answer.status in _GONE:
            raise Rejected(answer.status, f"listing cohorts was refused ({answer.status})")
        return query_answers.read_cohorts(_whole(answer, "the list of cohorts"))

    def page(
        self,
        project: Project,
        cohort_id: str,
        page: int,
        session_id: str | None = None,
        output_properties: Sequence[str] = (),
        *,
        page_size: int | None = None,
        spare: int = 0,
    ) -> MembersPage:
        """Read a page of who is in a cohort, ids without a profile included.

        The first page (0, without a session) is the query; those after it read on in what it found. A cohort
        has been read when every page up to one that is `last` has been, all of one session.

        Args:
            project: Whose cohort.
            cohort_id: Digits.
            page: From 0.
            session_id: As the first page gave it; None for page 0.
            output_properties: Names of the profile properties to come along.
            page_size: As the first page gave it, to be sure that pages are cut alike.
            spare: Queries of the hour to leave to others.

        Raises:
            OverBudget: No slot is free; nothing was asked.
            SessionExpired: Mixpanel has forgotten the session: begin anew at page 0.
            CredentialRefused: The project has no service account, or it was refused.
            Rejected: There is no such cohort, or the page is too large to be taken in.
            MixpanelError: As `Transport.send`; `Retryable` also for an answer that cannot be read.
            ValueError: A further page without its session, or an id that is no number.

        Source: https://docs.mixpanel.com/reference/engage-query
        """
        if page and session_id is None:
            raise ValueError("a further page needs the session of the first")
        form = _form(cohort_id, page, session_id, output_properties)
        call = self._call(project, "/engage", form, MAX_ANSWER_BYTES)
        with self.budget.slot(project.id, follow_up=page > 0, spare=spare):
            answer = self._transport.send(call)
        if answer.status in _GONE:
            raise _refusal(answer.status, cohort_id, follow_up=page > 0)
        asked = Asked(page, session_id, page_size, output_properties)
        return query_answers.read_members(_whole(answer, f"page {page} of cohort {cohort_id}"), asked)

    def estimate(self, project_id: str, members: int) -> float:
        """Say how many seconds reading a cohort takes at least, inside the budget as it stands now.

        Only the budget's waiting is in it: at 60 an hour that is nearly all there is.

        Args:
            project_id: Whose budget.
            members: People in the cohort.
        """
        return self.budget.estimate(project_id, 1, follow_ups=members // PAGE_SIZE)

    def _call(self, project: Project, path: str, form: bytes | None, max_bytes: int) -> Call:
        account = project.service_account
        if account is None:
            reason = f"project {project.id} has no service account, and without one nothing can be queried"
            raise CredentialRefused(0, reason)
        return Call(
            "POST",
            f"{project.hosts.query}{path}",
            params={"project_id": project.id},
            body=form,
            content_type=_FORM,
            integration_id=project.integration_id,
            auth=(account.username, account.secret.reveal()),
            readable=_GONE,
            max_answer_bytes=max_bytes,
            project_id=project.id,
        )


def _form(cohort_id: str, page: int, session_id: str | None, output_properties: Sequence[str]) -> bytes:
    names = list(output_properties) or list(_NEXT_TO_NOTHING)
    fields = {
        "filter_by_cohort": orjson.dumps({"id": _number(cohort_id)}).decode(),
        "include_all_users": "true",
        "output_properties": orjson.dumps(names).decode(),
        "page": str(page),
    }
    if session_id is not None:
        fields["session_id"] = session_id
    return urlencode(fields).encode()


def _number(cohort_id: str) -> int:
    """Read a cohort's id: in JSON it is a number, and as text Mixpanel finds no such cohort."""
    if not (cohort_id.isascii() and cohort_id.isdigit()):
        raise ValueError("the id of a cohort in Mixpanel is a number")
    return int(cohort_id)


def _refusal(status: int, cohort_id: str, *, follow_up: bool) -> SessionExpired | Rejected:
    """Say what a refusal means. The same query was answered before, if this is a further page of it."""
    if follow_up:
        return SessionExpired("Mixpanel has forgotten the session: query anew, from page 0")
    return Rejected(status, f"the query was refused ({status}): is there a cohort {cohort_id}?")


def _whole(answer: Answer, what: str) -> bytes:
    if not answer.whole:
        raise Rejected(answer.status, f"{what} is too large to be taken in: ask for fewer properties")
    return answer.body
