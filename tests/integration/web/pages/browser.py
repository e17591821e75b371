"""A browser that fills in forms, as far as these pages need one."""

import re
from html import unescape
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse


class Browser:
    """Keeps cookies, and sends the forms of the page that it was shown last.

    Args:
        app: the relay.
        tls: whether it comes by https.
    """

    def __init__(self, app: Flask, *, tls: bool = False) -> None:
        self._client = app.test_client()
        self._base = "https://relay.example" if tls else "http://relay.example"
        self.shown: TestResponse | None = None

    def get(self, path: str, **more: Any) -> TestResponse:
        self.shown = self._client.get(path, base_url=self._base, **more)
        return self.shown

    def post(self, path: str, **fields: str) -> TestResponse:
        """Send a form that is none of the page's."""
        return self._client.post(path, base_url=self._base, data=fields)

    def submit(self, action: str, **fields: str) -> TestResponse:
        """Send the form of the page that leads to an address, with what is typed in."""
        assert self.shown is not None
        (form,) = [each for each in forms(self.shown.text) if each["action"] == action]
        self.shown = self._client.post(
            action,
            base_url=self._base,
            data={**form["fields"], **fields},
            headers={"Referer": f"{self._base}/"},
        )
        return self.shown

    def log_in(self, text: str, wanted: str = "/queues") -> TestResponse:
        self.get(f"/login?next={wanted}")
        return self.submit("/login", token=text)

    def cookie(self) -> Any:
        return self._client.get_cookie("cohort_relay_session", domain="relay.example")


def forms(text: str) -> list[dict[str, Any]]:
    """Return the forms of a page: where each leads, and what it holds."""
    found = []
    for attributes, inside in re.findall(r"<form ([^>]*)>(.*?)</form>", text, re.DOTALL):
        hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', inside)
        (action,) = re.findall(r'action="([^"]*)"', attributes)
        assert 'method="post"' in attributes
        found.append(
            {"action": unescape(action), "fields": {name: unescape(value) for name, value in hidden}}
        )
    return found
