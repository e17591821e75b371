"""Applications that tests use one after the other: building one takes a while, and there are many tests.

An application speaks to whatever services the last test brought. Who changes the application itself (lets it
drain, adds a route) builds one of its own.
"""

from dataclasses import fields
from typing import Any

from flask import Flask
from werkzeug.local import LocalProxy

from app.web.factory import build_web


class _Brought:
    """The services of the test that runs now."""

    def __init__(self) -> None:
        self.services: Any = None

    def __getattr__(self, name: str) -> Any:
        return LocalProxy(lambda: getattr(self.services, name))


_SHARED: dict[str, tuple[_Brought, Flask]] = {}


def shared_app(services: Any) -> Flask:
    """Return an application with these services; of all that were brought, it has the last ones."""
    kinds = [type(getattr(services, each.name)).__qualname__ for each in fields(services)]
    key = repr((services.settings, kinds))
    if key not in _SHARED:
        brought = _Brought()
        brought.services = services
        _SHARED[key] = brought, build_web(brought)
    brought, app = _SHARED[key]
    brought.services = services
    return app
