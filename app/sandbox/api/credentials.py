"""Who may import, export and query.

Source: the published OpenAPI description, and https://docs.mixpanel.com/reference/import-events: a service
account with `project_id`; or the project secret as username; or, for `/import` only, the project token as
username. The passwords of the last two are empty. The token reads nothing.
"""

import hmac
from enum import Enum

from app.sandbox.api.call import Call
from app.sandbox.config import SandboxConfig


class Caller(Enum):
    """What a request's credentials are."""

    NOBODY = "nobody"
    TOKEN = "token"  # noqa: S105 -- a kind of credential
    SECRET = "secret"  # noqa: S105 -- a kind of credential
    SERVICE_ACCOUNT = "service account"


class Credentials:
    """Recognizes the project's own."""

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config

    def caller(self, call: Call) -> Caller:
        """Tell who is calling."""
        username, config = call.username, self._config
        if username is None:
            return Caller.NOBODY
        if _same(username, config.service_account) and _same(call.password, config.service_secret):
            right = call.query.get("project_id") == config.project_id
            return Caller.SERVICE_ACCOUNT if right else Caller.NOBODY
        if call.password:
            return Caller.NOBODY
        if _same(username, config.project_secret):
            return Caller.SECRET
        return Caller.TOKEN if _same(username, config.token) else Caller.NOBODY


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
