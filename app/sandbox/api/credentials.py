"""Who is calling, and in which role.

Source: the published OpenAPI description, and https://docs.mixpanel.com/reference/import-events: a service
account with `project_id`; or the project secret as username; or, for `/import` only, the project token as
username. The passwords of the last two are empty. The token reads nothing. A bearer is an OAuth token.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from app.sandbox.api.accounts import Account, Accounts, Role
from app.sandbox.api.call import Call
from app.sandbox.config import SandboxConfig


class Caller(Enum):
    """What a request's credentials are."""

    NOBODY = "nobody"
    TOKEN = "token"  # noqa: S105 -- a kind of credential
    SECRET = "secret"  # noqa: S105 -- a kind of credential
    SERVICE_ACCOUNT = "service account"
    OAUTH = "OAuth token"


@dataclass(frozen=True)
class Identified:
    """Who is calling.

    Attributes:
        caller: By what they are known.
        role: In the project; None without one. The secret and the OAuth token may do everything.
        account: The service account, if it is one.
    """

    caller: Caller
    role: Role | None = None
    account: Account | None = None


class Credentials:
    """Recognizes the project's own."""

    def __init__(self, config: SandboxConfig, accounts: Accounts, now_s: Callable[[], float]) -> None:
        self._config = config
        self._accounts = accounts
        self._now_s = now_s

    def caller(self, call: Call) -> Caller:
        """Tell who is calling an endpoint that takes `project_id` in its query string."""
        return self.reader(call).caller

    def reader(self, call: Call) -> Identified:
        """Tell who is calling such an endpoint, and in which role."""
        found = self.identified(call)
        if found.account is None:
            return found
        right = call.query.get("project_id") == self._config.project_id and found.role is not None
        return found if right else Identified(Caller.NOBODY)

    def identified(self, call: Call) -> Identified:
        """Tell who is calling, whatever project they ask for."""
        username, config = call.username, self._config
        if username is None:
            right = call.bearer and _same(call.bearer, config.oauth_token)
            return Identified(Caller.OAUTH, Role.OWNER) if right else Identified(Caller.NOBODY)
        now_ms = int(self._now_s() * 1000)
        if call.password:
            account = self._accounts.who(username, call.password, now_ms)
            if account is None:
                return Identified(Caller.NOBODY)
            self._accounts.used(account, now_ms)
            return Identified(Caller.SERVICE_ACCOUNT, account.role, account)
        if _same(username, config.project_secret):
            return Identified(Caller.SECRET, Role.OWNER)
        return Identified(Caller.TOKEN if _same(username, config.token) else Caller.NOBODY)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
