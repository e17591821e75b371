"""A page of a cohort sync: from bytes to what the sender meant.

Both the webhook and the apply run read a page with `parse`, so a page that was accepted can be read again.
"""

from dataclasses import dataclass
from typing import Any, Final

from marshmallow import ValidationError

from app.cohorts.members import Quarantined, usable_members
from app.cohorts.page_json import NotJson, decode
from app.cohorts.page_schema import ACTIONS, PageHead, PageSchema

__all__ = ["ACTIONS", "InvalidPayload", "Page", "PageHead", "Quarantined", "parse", "usable_members"]

MAX_ECHO: Final = 64
_SCHEMA: Final = PageSchema()


@dataclass(frozen=True, slots=True)
class Page:
    """One call of the webhook.

    Attributes:
        head: What the page says about itself.
        members: As sent, of any type each; `usable_members` sorts them.
    """

    head: PageHead
    members: list[Any]


class InvalidPayload(ValueError):  # noqa: N818 - named for what the answer says
    """The body is no page of a cohort sync and never will be.

    Attributes:
        message: For a person, who sees it in Mixpanel; quotes no value of the body.
        field: Dotted path such as `parameters.mixpanel_cohort_id`; "body" for the body as a whole.
        action: The action as sent, as far as it could be read, for the answer.
    """

    def __init__(self, message: str, field: str, action: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.action = action


def parse(body: bytes) -> Page:
    """Read a page.

    Args:
        body: The JSON document, unpacked.

    Raises:
        InvalidPayload: naming the first field that is missing or of the wrong type.
    """
    try:
        document = decode(body)
    except NotJson as err:
        raise InvalidPayload(f"The body could not be read: {err}.", "body") from err
    if type(document) is not dict:
        raise InvalidPayload("The body must be a JSON object.", "body")
    try:
        head, members = _SCHEMA.load(document)
    except ValidationError as err:
        path, problem = _first(err.messages)
        raise InvalidPayload(f"{path} {problem}.", path, _echo(document.get("action"))) from err
    return Page(head, members)


def _first(messages: Any) -> tuple[str, str]:
    """Return the dotted path and the text of the first problem in marshmallow's nested answer."""
    path: list[str] = []
    while isinstance(messages, dict):
        key, messages = next(iter(messages.items()))
        if key != "_schema":
            path.append(key)
    return ".".join(path), messages[0]


def _echo(action: Any) -> str | None:
    return action[:MAX_ECHO] if type(action) is str else None
