"""Placeholders of addresses that take ids of people, which can hold anything."""

from typing import Final

from flask import Flask
from werkzeug.routing import BaseConverter

TEXT: Final = "text"
"""`<text:name>` takes any text to the end of the address, of a character or more, slashes and newlines included."""


class AnyText(BaseConverter):
    """Takes whatever there is."""

    part_isolating = False
    regex = r"(?s:.+)"


def add_converters(app: Flask) -> None:
    """Let rules use them. Slashes stay as they are: Werkzeug would redirect `//a` to `/a`, another person's id."""
    app.url_map.converters[TEXT] = AnyText
    app.url_map.merge_slashes = False
