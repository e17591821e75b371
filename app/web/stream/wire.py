"""Events as they stand in an event stream.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from typing import Final

BEGIN: Final = b"retry: 3000\n\n"
"""Sent at once, so that whoever connects sees that it is connected; milliseconds until it does so again."""


def message(event_id: str, data: bytes) -> bytes:
    """Return an event: its data is one line of JSON, which holds no line break."""
    return b"id: %b\ndata: %b\n\n" % (event_id.encode(), data)


def place(event_id: str) -> bytes:
    """Return what moves a reader's last id on and tells it nothing, but that the connection lives."""
    return b": \nid: %b\n\n" % event_id.encode()
