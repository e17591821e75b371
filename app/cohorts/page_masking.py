"""Show what a page holds without telling who its people are.

What is wrong with a page mostly shows in its form: which fields there are, of which type and length. So all
that is not the page's own head is replaced by its form; nothing is let through that is not known to be plain.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.cohorts.page_json import NotJson, decode, text

UNREADABLE: Final = "unreadable"
_HEAD: Final = frozenset(
    {
        "mixpanel_project_id",
        "mixpanel_cohort_id",
        "mixpanel_cohort_name",
        "mixpanel_cohort_description",
        "mixpanel_session_id",
        "page_info",
    }
)
"""Fields of `parameters` that say nothing of a person."""


def told_body(body: bytes, *, masked: bool) -> Any:
    """Return what a page holds, as JSON values that can be written again.

    Args:
        body: as it was accepted.
        masked: replace each value that may be a person's by its form, such as `string(12)`.

    Returns:
        the document; where it is no JSON (any more), the text, or masked `unreadable(<bytes>)`.
    """
    try:
        document = decode(body)
    except NotJson:
        return f"{UNREADABLE}({len(body)})" if masked else body.decode("utf-8", "replace")
    return _page(document) if masked else _encodable(document)


def _page(document: Any) -> Any:
    if not isinstance(document, dict):
        return _form(document)
    return {text(name): _field(name, value) for name, value in document.items()}


def _field(name: str, value: Any) -> Any:
    if name == "action":
        return _encodable(value)
    if name == "parameters" and isinstance(value, dict):
        return {
            text(each): _encodable(inner) if each in _HEAD else _form(inner) for each, inner in value.items()
        }
    return _form(value)


def _form(value: Any) -> Any:
    """Return the form of a value: names and nesting as they are, of the rest its type and length."""
    match value:
        case Mapping():
            return {text(name): _form(inner) for name, inner in value.items()}
        case list():
            return [_form(inner) for inner in value]
        case str():
            return f"string({len(value)})"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case _:
            return None


def _encodable(value: Any) -> Any:
    """Return the value with those ids repaired that are kept as sent: they could not be written."""
    match value:
        case Mapping():
            return {text(name): _encodable(inner) for name, inner in value.items()}
        case list():
            return [_encodable(inner) for inner in value]
        case str():
            return text(value)
        case _:
            return value
