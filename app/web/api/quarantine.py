"""`/projects/{project_id}/quarantine/...`: members that could not be used, and pages that were set aside."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final

import orjson
from flask import Response, request

from app.access.audit import Actor, Entry
from app.cohorts.page_masking import told_body
from app.cohorts.quarantine import ALL, PageAside, Which
from app.destinations.dead_letters.filter import is_letter_id, read_age
from app.web.api.access import caller
from app.web.api.answers import encoded
from app.web.api.bodies import MOST_BYTES, NDJSON
from app.web.api.kinds import INVALID_BODY, UNKNOWN_QUARANTINED
from app.web.api.loading import load_object
from app.web.api.log import fields
from app.web.api.problems import Fault, Problem
from app.web.api.quarantine_schemas import DiscardSchema
from app.web.ports import WebServices

SHOWN: Final = "shown"
"""How the audit log tells of calls that change nothing and show what people's data is."""


@dataclass(frozen=True)
class QuarantineViews:
    """Answers what is asked about the quarantine.

    Attributes:
        services: the quarantine.
    """

    services: WebServices

    def members(self, project_id: str, query: dict[str, Any]) -> Response:
        """Answer a page of the list of members."""
        found, next_ = self.services.quarantine.members(
            project_id, self._which(query), after=query.get("cursor", ""), limit=query["limit"]
        )
        return encoded(HTTPStatus.OK, {"members": list(map(asdict, found)), "next_cursor": next_})

    def pages(self, project_id: str, query: dict[str, Any]) -> Response:
        """Answer the list of pages."""
        found, next_ = self.services.quarantine.some_pages(
            project_id, self._which(query), after=query.get("cursor", ""), limit=query["limit"]
        )
        return encoded(HTTPStatus.OK, {"pages": list(map(asdict, found)), "next_cursor": next_})

    def member(self, project_id: str, entry_id: str) -> Response:
        """Answer one member."""
        found = self.services.quarantine.member(project_id, entry_id) if is_letter_id(entry_id) else None
        if found is None:
            raise _unknown()
        return encoded(HTTPStatus.OK, asdict(found))

    def page(self, project_id: str, entry_id: str, query: dict[str, Any]) -> Response:
        """Answer one page with what it holds."""
        found = self.services.quarantine.page(project_id, entry_id) if is_letter_id(entry_id) else None
        if found is None:
            raise _unknown()
        if query["people"]:
            self._note_shown(project_id, entry_id=entry_id)
        return encoded(HTTPStatus.OK, _whole(*found, masked=not query["people"]))

    def export_members(self, project_id: str, query: dict[str, Any]) -> Response:
        """Answer with all members that are meant, one a line, as they are read."""
        found = self.services.quarantine.all_members(project_id, self._which(query))
        return _lines(map(asdict, found))

    def export_pages(self, project_id: str, query: dict[str, Any]) -> Response:
        """Answer with all pages that are meant, one a line, as they are read."""
        found = self.services.quarantine.whole_pages(project_id, self._which(query))
        if query["people"]:
            self._note_shown(project_id)
        return _lines(_whole(page, body, masked=not query["people"]) for page, body in found)

    def discard_members(self, project_id: str) -> Response:
        """Throw members away."""
        return self._discard(project_id, self.services.quarantine.discard_members)

    def discard_pages(self, project_id: str) -> Response:
        """Throw pages away."""
        return self._discard(project_id, self.services.quarantine.discard_pages)

    def _discard(self, project_id: str, discard: Callable[..., int]) -> Response:
        wanted = load_object(request, DiscardSchema, min(MOST_BYTES, self.services.settings.max_body_bytes))
        which = self._which(wanted)
        if which == ALL and not wanted["all"]:
            detail = "must be true where nothing else says which are meant"
            raise Problem(INVALID_BODY, f"all {detail}.", [Fault("all", detail, "needed")])
        discarded = discard(project_id, which, dry_run=wanted["dry_run"])
        fields()["discarded"] = 0 if wanted["dry_run"] else discarded
        return encoded(HTTPStatus.OK, {"dry_run": wanted["dry_run"], "discarded": discarded})

    def _note_shown(self, project_id: str, **resources: str) -> None:
        """Write into the audit log who is about to be shown people's data; nothing is shown without."""
        token = caller()
        actor = Actor("token", token.id, token.name)
        named = {"project_id": project_id, **resources}
        self.services.audit.write(Entry(actor, f"GET {request.url_rule}", named, SHOWN, HTTPStatus.OK))

    def _which(self, asked: Mapping[str, Any]) -> Which:
        now_ms = int(self.services.redis.time()[0]) * 1000
        return Which(
            cohort_id=asked.get("cohort_id", ""),
            reason=asked.get("reason", ""),
            before_ms=read_age(asked["older_than"], now_ms) if "older_than" in asked else None,
            since_ms=read_age(asked["newer_than"], now_ms) if "newer_than" in asked else None,
        )


def _whole(page: PageAside, body: bytes, *, masked: bool) -> dict[str, Any]:
    return {**asdict(page), "body": told_body(body, masked=masked)}


def _lines(found: Iterator[dict[str, Any]]) -> Response:
    lines = (orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in found)
    answer = Response(lines, mimetype=NDJSON)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _unknown() -> Problem:
    return Problem(UNKNOWN_QUARANTINED, "The project has nothing in quarantine with this id.")
