"""`/projects/{project_id}/dead-letters`: what could not be delivered, and what to do with it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, NoReturn

import orjson
from flask import Response, request

from app.destinations.checks.invalid import Invalid
from app.destinations.dead_letters.discarding import discard_step
from app.destinations.dead_letters.filter import Filter, is_letter_id, read_age
from app.destinations.dead_letters.records import letter_json
from app.destinations.dead_letters.redriving import CONFIRMATION, NeedsConfirmation, NoSuchLetter
from app.destinations.dead_letters.stepping import Place
from app.web.api.answers import encoded
from app.web.api.bodies import MOST_BYTES, NDJSON
from app.web.api.dead_letter_schemas import DiscardLettersSchema, RedriveLetterSchema, RedriveLettersSchema
from app.web.api.kinds import CONFIRMATION_NEEDED, INVALID_BODY, INVALID_RECORDS, UNKNOWN_DEAD_LETTER
from app.web.api.loading import load_object
from app.web.api.log import fields
from app.web.api.problems import Fault, Problem
from app.web.ports import WebServices

_CONFIRM = "confirm_outcome_unknown"


@dataclass(frozen=True)
class DeadLetterViews:
    """Answers what is asked about dead letters.

    Attributes:
        services: the dead letters, and what sends them again.
    """

    services: WebServices

    def list(self, project_id: str, query: dict[str, Any]) -> Response:
        """Answer a page of the list."""
        letters = self.services.dead_letters
        page = letters.page(
            project_id,
            self._filter(query),
            after=query.get("cursor"),
            limit=query["limit"],
            records=query["records"],
            order=query["order"],
        )
        told = [letter_json(stored, whole=query["records"]) for stored in page.letters]
        kept = letters.count(project_id)
        return encoded(HTTPStatus.OK, {"dead_letters": told, "kept": kept, "next_cursor": page.next})

    def export(self, project_id: str, query: dict[str, Any]) -> Response:
        """Answer with all that are meant, one a line, as they are read."""
        letters = self.services.dead_letters.all(project_id, self._filter(query))

        def lines() -> Iterator[bytes]:
            for stored in letters:
                yield orjson.dumps(letter_json(stored, whole=True), option=orjson.OPT_APPEND_NEWLINE)

        answer = Response(lines(), mimetype=NDJSON)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def show(self, project_id: str, letter_id: str) -> Response:
        """Answer one letter, whole."""
        stored = self.services.dead_letters.get(project_id, letter_id) if is_letter_id(letter_id) else None
        if stored is None:
            raise _unknown()
        return encoded(HTTPStatus.OK, letter_json(stored, whole=True))

    def discard(self, project_id: str, letter_id: str) -> Response:
        """Throw one letter away."""
        if not (is_letter_id(letter_id) and self.services.dead_letters.discard(project_id, [letter_id])):
            raise _unknown()
        return encoded(HTTPStatus.OK, {"id": letter_id, "state": "discarded"})

    def redrive(self, project_id: str, letter_id: str) -> Response:
        """Send one letter again, corrected or not."""
        wanted = load_object(request, RedriveLetterSchema, self._limit_bytes)
        if not is_letter_id(letter_id):
            raise _unknown()
        try:
            done = self.services.redriver.one(
                self.services.settings.projects[project_id],
                letter_id,
                self._now_ms(),
                edited=wanted.get("record"),
                confirmed=wanted[_CONFIRM],
            )
        except NoSuchLetter as err:
            raise _unknown() from err
        except NeedsConfirmation as err:
            raise Problem(
                CONFIRMATION_NEEDED, CONFIRMATION, [Fault(_CONFIRM, "must be true", "needed")]
            ) from err
        except Invalid as wrong:
            _refuse(wrong, edited="record" in wanted)
        if done.before_ms is not None:
            fields()["outcome"] = "redriven_before"
            told = {"state": "redriven_before", "redriven_ms": done.before_ms}
        else:
            told = {"state": "redriven", "outbox": done.outbox}
        return encoded(HTTPStatus.OK, {"id": letter_id, **told})

    def redrive_some(self, project_id: str) -> Response:
        """Send a step of the letters again that are meant."""
        wanted = load_object(request, RedriveLettersSchema, self._limit_bytes)
        step = self.services.redriver.step(
            self.services.settings.projects[project_id],
            self._filter(wanted, everything=wanted["all"]),
            self._now_ms(),
            place=_place(wanted),
            confirmed=wanted[_CONFIRM],
            dry_run=wanted["dry_run"],
        )
        fields().update(redriven=step.redriven, left=step.needs_confirmation + step.invalid)
        faults = [{"id": fault.pop("letter_id"), **fault} for fault in map(asdict, step.faults)]
        told = {
            "redriven": step.redriven,
            "needs_confirmation": step.needs_confirmation,
            "invalid": step.invalid,
            "faults": faults,
            "outbox_full": step.full,
        }
        return _stepped(wanted, step.looked, step.next, told)

    def discard_some(self, project_id: str) -> Response:
        """Throw a step of the letters away that are meant."""
        wanted = load_object(request, DiscardLettersSchema, self._limit_bytes)
        step = discard_step(
            self.services.dead_letters,
            project_id,
            self._filter(wanted, everything=wanted["all"]),
            place=_place(wanted),
            dry_run=wanted["dry_run"],
        )
        fields()["discarded"] = step.discarded
        return _stepped(wanted, step.looked, step.next, {"discarded": step.discarded})

    @property
    def _limit_bytes(self) -> int:
        return min(MOST_BYTES, self.services.settings.max_body_bytes)

    def _filter(self, asked: Mapping[str, Any], *, everything: bool = True) -> Filter:
        """Make the filter; one that means all of them only where that is said."""
        now_ms = self._now_ms()
        wanted = Filter(
            destination=asked.get("destination", ""),
            code=asked.get("code"),
            reason=asked.get("reason", ""),
            before_ms=read_age(asked["older_than"], now_ms) if "older_than" in asked else None,
            since_ms=read_age(asked["newer_than"], now_ms) if "newer_than" in asked else None,
        )
        if wanted.is_empty and not everything:
            detail = "must be true where nothing else says which letters are meant"
            raise Problem(INVALID_BODY, f"all {detail}.", [Fault("all", detail, "needed")])
        return wanted

    def _now_ms(self) -> int:
        return int(self.services.redis.time()[0]) * 1000


def _stepped(wanted: dict[str, Any], looked: int, next_: Place | None, told: dict[str, Any]) -> Response:
    cursor = None if next_ is None else str(next_)
    told = {**told, "dry_run": wanted["dry_run"], "looked_at": looked, "next_cursor": cursor}
    return encoded(HTTPStatus.OK, told)


def _place(wanted: dict[str, Any]) -> Place | None:
    return Place.read(wanted["cursor"]) if "cursor" in wanted else None


def _unknown() -> Problem:
    return Problem(UNKNOWN_DEAD_LETTER, "The project has no dead letter with this id.")


def _refuse(wrong: Invalid, *, edited: bool) -> NoReturn:
    field = f"record.{wrong.field}".rstrip(".")
    said = "The correction cannot be taken in" if edited else "The record would be given up again; correct it"
    raise Problem(
        INVALID_RECORDS, f"{said}: {wrong.detail}", [Fault(field, wrong.detail, wrong.code)]
    ) from wrong
