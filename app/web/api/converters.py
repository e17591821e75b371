"""Placeholders of addresses that take ids of people, which can hold anything."""

from typing import Final

from flask import Flask
from werkzeug.routing import BaseConverter

TEXT: Final = "text"
"""`<text:name>` takes any text, slashes and newlines included, to the end of the address."""


class AnyText(BaseConverter):
    """Takes whatever there is."""

    part_isolating = False
    regex = r"(?s:.+)"


def add_converters(app: Flask) -> None:
    """Let rules use them. Slashes stay as they are: a redirect of `//a` to `/a` leads to another person."""
    app.url_map.converters[TEXT] = AnyText
    app.url_map.merge_slashes = False
