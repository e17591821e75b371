"""Read what the query API says. Pure: an answer's bytes in, a dataclass out.

Who is missing from an answer is taken for somebody who left. So an answer that cannot be read to its last
entry, or that contradicts itself or its request, is none at all: never the part of it that can be read.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeGuard

import orjson

from app.mixpanel.errors import Retryable, SessionExpired


@dataclass(frozen=True, slots=True)
class ListedCohort:
    """A cohort as Mixpanel lists it.

    Attributes:
        id: As text, as the webhook names it.
        name: As it is now.
        count: People in it.
        description: May be empty.
        visible: False where it is hidden in Mixpanel's lists.
        created: As Mixpanel writes it, such as "2019-03-19 23:49:51"; empty where it does not say.
    """

    id: str
    name: str
    count: int
    description: str = ""
    visible: bool = True
    created: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page was asked for with.

    Attributes:
        page: From 0.
        session_id: None for the first page.
        page_size: What the pages before said, where that is known.
        output_properties: Whatever else a profile holds is left out.
    """

    page: int
    session_id: str | None = None
    page_size: int | None = None
    output_properties: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class MembersPage:
    """A page of a cohort's members.

    Attributes:
        page: From 0.
        page_size: Most entries of a page of this session.
        session_id: What the next page is asked for with.
        total: People in the whole cohort, where the answer says so. For showing progress: Mixpanel's
            description can also be read as the people on this page.
        members: distinct_id and the properties that were asked for, as far as the profile has them.
        entries: Entries on the page; more than `members` where some name nobody (an empty id).
    """

    page: int
    page_size: int
    session_id: str
    total: int | None
    members: list[tuple[str, dict[str, Any]]] = field(repr=False)
    entries: int

    @property
    def last(self) -> bool:
        """Whether nobody comes after this page: that shows only in its being shorter than it could be."""
        return self.entries < self.page_size


def read_cohorts(body: bytes) -> list[ListedCohort]:
    """Read the answer of `/cohorts/list`.

    Raises:
        Retryable: It cannot be read.
    """
    rows = _parsed(body)
    if not isinstance(rows, list):
        _unreadable("is no list of cohorts")
    return [_cohort(row) for row in rows]


def read_members(body: bytes, asked: Asked) -> MembersPage:
    """Read the answer of `/engage`.

    Raises:
        Retryable: It cannot be read, or contradicts itself.
        SessionExpired: It belongs to another session than the pages before.
    """
    answer = _parsed(body)
    if not isinstance(answer, dict):
        _unreadable("is no object")
    if answer.get("error") or answer.get("status", "ok") != "ok":
        _unreadable("says that the query failed")
    page, size, entries = answer.get("page"), answer.get("page_size"), answer.get("results")
    if page != asked.page or not _is_int(page):
        _unreadable("is of another page")
    if not _is_int(size) or size < 1:
        _unreadable("has no page_size")
    if not isinstance(entries, list) or len(entries) > size:
        _unreadable("has no results, or more than a page holds")
    total = answer.get("total") if _is_int(answer.get("total")) else None
    if len(entries) < size and total is not None and total > page * size + len(entries):
        _unreadable("is the last page, but short of the total")
    session_id = _session(answer, asked, size)
    wanted = frozenset(asked.output_properties)
    members = [member for entry in entries if (member := _member(entry, wanted))]
    return MembersPage(page, size, session_id, total, members, len(entries))


def _session(answer: dict[str, Any], asked: Asked, size: int) -> str:
    """Name the session. Another session, or another cut into pages, is another answer to the query."""
    session_id = answer.get("session_id") or asked.session_id
    if _is_int(session_id):
        session_id = str(session_id)
    if not isinstance(session_id, str):
        _unreadable("has no session_id")
    if asked.session_id not in (None, session_id):
        raise SessionExpired("the page is of another session: the query has to be made anew, from page 0")
    if asked.page_size not in (None, size):
        raise SessionExpired("the pages changed their size: the query has to be made anew, from page 0")
    return session_id


def _member(entry: Any, wanted: frozenset[str]) -> tuple[str, dict[str, Any]] | None:
    """Read an entry; None where it names nobody. A whole number becomes its decimal text, as in webhooks."""
    if not isinstance(entry, dict) or "$distinct_id" not in entry:
        _unreadable("has an entry that is none")
    distinct_id, properties = entry["$distinct_id"], entry.get("$properties") or {}
    if _is_int(distinct_id):
        distinct_id = str(distinct_id)
    if distinct_id is None or distinct_id == "":
        return None
    if not isinstance(distinct_id, str) or not isinstance(properties, dict):
        _unreadable("has an entry that is none")
    return distinct_id, {name: value for name, value in properties.items() if name in wanted}


def _cohort(row: Any) -> ListedCohort:
    if not isinstance(row, dict):
        _unreadable("has an entry that is no cohort")
    cohort_id, count = row.get("id"), row.get("count")
    if _is_int(cohort_id):
        cohort_id = str(cohort_id)
    if not isinstance(cohort_id, str) or not cohort_id or not _is_int(count) or count < 0:
        _unreadable("has a cohort without id or count")
    return ListedCohort(
        id=cohort_id,
        name=_text(row.get("name")),
        count=count,
        description=_text(row.get("description")),
        visible=bool(row.get("is_visible", 1)),
        created=_text(row.get("created")),
    )


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        _unreadable("is no JSON")


def _unreadable(why: str) -> NoReturn:
    raise Retryable(f"the answer could not be read: it {why}", status=200)


def _is_int(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
