"""Shapes of what is asked and answered about projects, cohorts, members and syncs."""

from typing import Any, Final

from marshmallow import Schema, fields, validate

from app.web.api.cursors import place_cursor_field, text_cursor_field

MOST_LISTED: Final = 500
MOST_MEMBERS: Final = 5_000
POSITION: Final = "Feed-Position"
"""Header that says where in the log a list of members is true."""
TRUE_AT: Final = (
    "Where in the change log the whole list, from its first page on, is true: subscribe to events behind it,"
    " and what they tell, applied to the list, keeps it exact."
)
_TIME: Final = "ISO 8601, UTC."
_NEXT: Final = "Ask again with it as `cursor` to go on; null at the end."
SINCE: Final = "When the newest page of the sync was accepted that brought the person in; null if not known."


def _next() -> fields.String:
    return fields.String(required=True, allow_none=True, metadata={"description": _NEXT})


def _time(description: str = "", *, never: bool = False) -> fields.String:
    text = f"{description} {_TIME}".strip() + (" Null for never." if never else "")
    return fields.String(required=True, allow_none=never, metadata={"description": text})


class ListQuery(Schema):
    """Which page of a list."""

    limit = fields.Integer(load_default=100, validate=validate.Range(1, MOST_LISTED))
    cursor = text_cursor_field()


class MembersQuery(Schema):
    """Which page of the members."""

    limit = fields.Integer(
        validate=validate.Range(1),
        metadata={
            "description": f"JSON: 100 if it is left out, {MOST_MEMBERS:,} at most. NDJSON: all if it is."
        },
    )
    cursor = place_cursor_field()


class ProjectSchema(Schema):
    """A project, as configured."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    region = fields.String(required=True)
    id_management = fields.String(required=True)


class ProjectsSchema(Schema):
    """The projects that the token reaches."""

    projects = fields.List(fields.Nested(ProjectSchema), required=True)


class CohortSchema(Schema):
    """A cohort as it stands."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    description = fields.String(required=True)
    members = fields.Integer(required=True)
    remembered = fields.Integer(
        required=True,
        metadata={"description": "People who left, remembered until their syncs are beyond doubt."},
    )
    quarantined = fields.Integer(
        required=True, metadata={"description": "Members without a usable id, ever. They are not counted."}
    )
    last_synced = _time("When a sync was complete last.", never=True)
    renaming_from = fields.List(
        fields.String(), required=True, metadata={"description": "Names that are still being replaced."}
    )
    doubts = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "Why the copy may differ from Mixpanel's, in words; usually none."},
    )


class CohortsSchema(Schema):
    """A page of cohorts, in the order of their ids."""

    cohorts = fields.List(fields.Nested(CohortSchema), required=True)
    next_cursor = _next()


class MemberSchema(Schema):
    """Somebody who is in the cohort."""

    distinct_id = fields.String(required=True)
    since = fields.String(required=True, allow_none=True, metadata={"description": f"{SINCE} {_TIME}"})
    session_id = fields.String(
        required=True, allow_none=True, metadata={"description": "That sync; null if it is not known."}
    )


class MembersSchema(Schema):
    """A page of members. It may have fewer than asked for, or none, although there are more: go on."""

    members = fields.List(fields.Nested(MemberSchema), required=True)
    next_cursor = _next()
    position = fields.String(required=True, metadata={"description": TRUE_AT})


class CallSchema(Schema):
    """The pages of one action."""

    action = fields.String(required=True)
    seen = fields.Integer(required=True, metadata={"description": "Pages that came."})
    announced = fields.Integer(required=True, metadata={"description": "Pages that there are."})
    missing = fields.List(
        fields.Integer(),
        required=True,
        metadata={"description": "Numbers of the pages that did not come; the first hundred."},
    )


class SessionSchema(Schema):
    """An export of the cohort by Mixpanel."""

    session_id = fields.String(required=True)
    state = fields.String(
        required=True,
        metadata={"description": "`open` (pages are missing), `completed`, or `superseded` (given up)."},
    )
    first_page = _time("When its first page was accepted.")
    newest_page = _time("When its newest page was accepted.")
    calls = fields.List(fields.Nested(CallSchema), required=True)


class SessionsSchema(Schema):
    """A page of sessions, the newest first."""

    sessions = fields.List(fields.Nested(SessionSchema), required=True)
    next_cursor = _next()


class PageSchema(Schema):
    """A page of a session."""

    action = fields.String(required=True)
    number = fields.Integer(required=True)


class NamedSchema(Schema):
    """A sync that said something of the person."""

    session_id = fields.String(required=True)
    time = _time("When the newest of its pages was accepted.")
    state = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "As of the session; null once that is forgotten."},
    )
    page = fields.Nested(
        PageSchema,
        required=True,
        allow_none=True,
        metadata={
            "description": "Null where it is not known: the session is forgotten, or several can be it."
        },
    )


class WhySchema(Schema):
    """Why the person is in a cohort, or was until a sync that is still in doubt."""

    cohort_id = fields.String(required=True)
    cohort_name = fields.String(required=True)
    member = fields.Boolean(required=True, metadata={"description": "Whether the person is in it now."})
    since = fields.String(required=True, allow_none=True, metadata={"description": f"{SINCE} {_TIME}"})
    brought_by: Any = fields.Nested(
        NamedSchema, required=True, allow_none=True, metadata={"description": "That sync."}
    )
    last_named_by: Any = fields.Nested(
        NamedSchema,
        required=True,
        allow_none=True,
        metadata={"description": "The sync that last named the person, or settled what others had said."},
    )
    doubts = fields.List(
        fields.String(), required=True, metadata={"description": "What is not certain yet, in words."}
    )


class PersonSchema(Schema):
    """The cohorts that somebody is in."""

    distinct_id = fields.String(required=True)
    cohorts = fields.List(fields.Nested(WhySchema), required=True)
