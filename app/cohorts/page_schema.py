"""The shape of a page around its members, as Mixpanel documents it and a little more liberally.

Unknown fields are ignored: vendors add them. What Mixpanel could leave out without harm has a default; what
identifies the page has none. marshmallow checks the dozen fields of the envelope only (measured: 25 µs a
page); the up to 1,000 members are one raw list here and have a bulk check of their own in
`app.cohorts.members`.
"""

from dataclasses import dataclass
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from app.cohorts.page_json import text

ACTIONS: Final = ("members", "add_members", "remove_members")

# An id is a part of key names and log lines; Mixpanel's own are numbers and short tokens.
MAX_ID_BYTES: Final = 255
# Characters of a name or a description; longer ones are cut. They go into every entry of the change log.
MAX_LABEL: Final = 255
# 10 million users a cohort at one a page is the most that any counting could reach; beyond 31 bits it is no
# count.
MAX_COUNT: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class PageHead:
    """What a page says about itself; members apart.

    Attributes:
        project_id: Mixpanel project.
        cohort_id: Cohort within the project.
        cohort_name: As sent, with broken characters replaced, cut at MAX_LABEL; "" when the page names none
            (keep the known name).
        description: Like the name; "" when there is none.
        session_id: One export; all its pages share it.
        action: One of ACTIONS.
        number: This page's number as sent, from 1 by the documentation; 1 when absent.
        total: `total_pages` as sent; 1 without any `page_info`, 0 when it was 0 or left out of a `page_info`.
    """

    project_id: str
    cohort_id: str
    cohort_name: str
    description: str
    session_id: str
    action: str
    number: int
    total: int


class Identifier(fields.Field[str]):
    """An id: a non-empty string, or a whole number that becomes its decimal string."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002 - marshmallow's signature
        if type(value) is int:
            return str(value)
        if type(value) is not str:
            raise ValidationError("must be a string or a whole number")
        if not value:
            raise ValidationError("must not be empty")
        if len(value.encode()) > MAX_ID_BYTES:
            raise ValidationError(f"must not be longer than {MAX_ID_BYTES} bytes")
        return value


class Label(fields.Field[str]):
    """A text for people: never a reason to refuse a page, so anything but a text or a number is no text.

    A text of more than MAX_LABEL characters is cut.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002 - marshmallow's signature
        if type(value) is str:
            return text(value)[:MAX_LABEL]
        return str(value)[:MAX_LABEL] if type(value) in (int, float) else ""


class Count(fields.Field[int]):
    """A number of pages: a whole number, or a string or float that is one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:  # noqa: ARG002 - marshmallow's signature
        count = _whole(value)
        if count is None or not 0 <= count <= MAX_COUNT:
            raise ValidationError("must be a whole number from 0")
        return count


class Members(fields.Field[list[Any]]):
    """The members as sent: a list, whose items are checked elsewhere, in bulk."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:  # noqa: ARG002 - marshmallow's signature
        if type(value) is not list:
            raise ValidationError("must be a list")
        return value


def _whole(value: Any) -> int | None:
    if type(value) is float and value.is_integer():
        return int(value)
    if type(value) is str and value.isascii() and value.isdigit() and len(value) <= len(str(MAX_COUNT)):
        return int(value)
    return value if type(value) is int else None


REQUIRED: Final[dict[str, Any]] = {"required": "is missing", "null": "must not be null"}


class _Lenient(Schema):
    class Meta:
        unknown = EXCLUDE

    error_messages = {"type": "must be an object"}  # noqa: RUF012 - marshmallow's own way to set it


class PageInfoSchema(_Lenient):
    """`parameters.page_info`."""

    number = Count(data_key="page_count", load_default=1, allow_none=True)
    total = Count(data_key="total_pages", load_default=0, allow_none=True)


class ParametersSchema(_Lenient):
    """`parameters`."""

    project_id = Identifier(data_key="mixpanel_project_id", required=True, error_messages=REQUIRED)
    cohort_id = Identifier(data_key="mixpanel_cohort_id", required=True, error_messages=REQUIRED)
    cohort_name = Label(data_key="mixpanel_cohort_name", load_default="", allow_none=True)
    description = Label(data_key="mixpanel_cohort_description", load_default="", allow_none=True)
    session_id = Identifier(data_key="mixpanel_session_id", required=True, error_messages=REQUIRED)
    page_info = fields.Nested(PageInfoSchema, load_default=None, allow_none=True)
    members = Members(required=True, error_messages=REQUIRED)


class Action(fields.Field[str]):
    """One of the three actions."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002 - marshmallow's signature
        if type(value) is not str:
            raise ValidationError("must be a string")
        if value not in ACTIONS:
            raise ValidationError(f"must be one of {', '.join(ACTIONS)}")
        return value


class PageSchema(_Lenient):
    """The whole page; loads to (PageHead, members)."""

    action = Action(required=True, error_messages=REQUIRED)
    parameters = fields.Nested(ParametersSchema, required=True, error_messages=REQUIRED)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> tuple[PageHead, list[Any]]:
        """Flatten the envelope into a head."""
        named = data["parameters"]
        page_info = named["page_info"] or {"number": 1, "total": 1}
        number, total = page_info["number"], page_info["total"]
        head = PageHead(
            project_id=named["project_id"],
            cohort_id=named["cohort_id"],
            cohort_name=named["cohort_name"] or "",
            description=named["description"] or "",
            session_id=named["session_id"],
            action=data["action"],
            number=1 if number is None else number,
            total=0 if total is None else total,
        )
        return head, named["members"]
