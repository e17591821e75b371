"""Service accounts: those that the sandbox starts with, one a role, and those made over the API.

Source: https://developer.mixpanel.com/reference/service-accounts and the published OpenAPI description. The
roles, from least to most: Consumer, Analyst, Admin, Owner.
"""

import hmac
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from typing import Any

from app.sandbox.config import SandboxConfig
from app.sandbox.store.documents import Documents

KIND = "service_account"
FIRST_MADE = 101


class Role(IntEnum):
    """What an account may do in the project."""

    CONSUMER = 1
    ANALYST = 2
    ADMIN = 3
    OWNER = 4

    @classmethod
    def named(cls, name: Any) -> "Role | None":
        """Return the role of a name such as `analyst`, or None."""
        return next((one for one in cls if one.name.lower() == name), None)


BUILT_IN = {Role.ADMIN: "sandbox-admin", Role.ANALYST: "sandbox-analyst", Role.CONSUMER: "sandbox-consumer"}


@dataclass(frozen=True)
class Account:
    """A service account.

    Attributes:
        account_id: Its number in the organization.
        username: What it calls itself.
        secret: What proves it.
        role: In the project; None if it is not the project's.
        created_ms: When it was made.
        expires_ms: When it ends; None for never.
        used_ms: When it last called; None for never.
        built_in: Made with the sandbox, and stays.
    """

    account_id: int
    username: str
    secret: str
    role: Role | None
    created_ms: int = 0
    expires_ms: int | None = None
    used_ms: int | None = None
    built_in: bool = False


class Accounts:
    """The organization's service accounts."""

    def __init__(self, config: SandboxConfig, documents: Documents) -> None:
        self._documents = documents
        first = Account(1, config.service_account, config.service_secret, Role.OWNER, built_in=True)
        others = [
            Account(2 + at, name, config.service_secret, role, built_in=True)
            for at, (role, name) in enumerate(BUILT_IN.items())
        ]
        self._built_in = {one.account_id: one for one in (first, *others)}

    def all(self) -> list[Account]:
        """Return all accounts by number."""
        return list(self._each())

    def get(self, account_id: int) -> Account | None:
        """Return one account, or None."""
        return next((one for one in self.all() if one.account_id == account_id), None)

    def who(self, username: str, secret: str, now_ms: int) -> Account | None:
        """Return the account that a name and a secret prove, unless it has ended."""
        for one in self._each():
            if _same(one.username, username) and _same(one.secret, secret):
                return one if one.expires_ms is None or one.expires_ms > now_ms else None
        return None

    def make(self, name: str, role: Role | None, now_ms: int, expires_ms: int | None) -> Account:
        """Make an account; its username is made of the name, and unlike any other."""
        number = self._documents.number(KIND, FIRST_MADE)
        username = f"{name}.{secrets.token_hex(3)}.mp-service-account"
        account = Account(number, username, secrets.token_urlsafe(24), role, now_ms, expires_ms)
        self._keep(account)
        return account

    def change_role(self, account: Account, role: Role | None) -> None:
        """Give an account a role in the project, or take the project from it."""
        self._keep(replace(account, role=role))

    def used(self, account: Account, now_ms: int) -> None:
        """Note that an account called."""
        if account.built_in:
            self._built_in[account.account_id] = replace(account, used_ms=now_ms)
        else:
            self._keep(replace(account, used_ms=now_ms))

    def remove(self, account: Account) -> None:
        """Delete an account."""
        self._documents.remove(KIND, account.account_id)

    def _keep(self, account: Account) -> None:
        self._documents.put(KIND, account.account_id, asdict(account))

    def _each(self) -> Iterator[Account]:
        """Yield the first ones first: who only calls as one of them costs no look into the database."""
        yield from list(self._built_in.values())
        yield from self._made()

    def _made(self) -> Iterator[Account]:
        for stored in self._documents.all(KIND).values():
            role = None if stored["role"] is None else Role(stored["role"])
            yield Account(**(stored | {"role": role}))


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
