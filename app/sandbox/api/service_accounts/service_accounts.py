"""Service accounts of the organization and of the project. Those made here are recognized from then on.

Source: https://developer.mixpanel.com/reference/service-accounts and the published OpenAPI description.
Managing them needs a role of at least Admin in the project, as the sandbox knows no roles in the
organization. The accounts that the sandbox is started with stay as they are (400).
"""

from datetime import UTC, datetime
from typing import Any

from app.sandbox.api.accounts import Account, Accounts, Role
from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked, MistakeError
from app.sandbox.api.desk.operation import Operation, Serve, said
from app.sandbox.api.moments import iso
from app.sandbox.config import SandboxConfig

NAME = "/service-accounts"
BASE = "/api/app/organizations/<organization_id>/service-accounts"
PROJECT = "/api/app/projects/<project_id>/service-accounts"
ROLES = "owner, admin, analyst or consumer"
NEVER = "9999-12-31T00:00:00+00:00"  # the description knows no null


class ServiceAccounts:
    """Manages the accounts."""

    def __init__(self, accounts: Accounts, config: SandboxConfig) -> None:
        self._accounts = accounts
        self._project_id = config.project_id

    def operations(self) -> list[Operation]:
        """Return the endpoints."""
        one = f"{BASE}/<int:account_id>"
        return [
            _managing("GET", BASE, self._list),
            _managing("POST", BASE, self._create),
            _managing("GET", one, self._get),
            _managing("DELETE", one, self._delete),
            Operation(NAME, "GET", PROJECT, self._of_project),
            _managing("POST", f"{BASE}/add-to-project", self._add),
            _managing("POST", f"{BASE}/remove-from-project", self._remove),
        ]

    def _list(self, _asked: Asked) -> Answer:
        return said({"status": "ok", "results": [_shown(one) for one in self._accounts.all()]})

    def _create(self, asked: Asked) -> Answer:
        given = asked.body()
        name = given.get("username")
        if not isinstance(name, str) or not name or ":" in name:
            raise MistakeError("username: required, a text without a colon")
        roles = [self._role_here(one, given.get("role")) for one in _list_of(given, "projects", needed=False)]
        role = next((one for one in roles if one is not None), None)
        account = self._accounts.make(name, role, asked.now_ms, _expiry(given))
        return said({"status": "ok", "results": _shown(account) | {"token": account.secret}}, 201)

    def _get(self, asked: Asked) -> Answer:
        return said(_shown(self._found(int(asked.path["account_id"]))))

    def _delete(self, asked: Asked) -> Answer:
        self._accounts.remove(self._changeable(int(asked.path["account_id"])))
        return said({})

    def _of_project(self, _asked: Asked) -> Answer:
        members = [one for one in self._accounts.all() if one.role is not None]
        return said({"status": "ok", "results": [_member(one, one.role) for one in members if one.role]})

    def _add(self, asked: Asked) -> Answer:
        given = asked.body()
        roles = [self._role_here(one, None) for one in _list_of(given, "projects")]
        accounts = [self._changeable(one) for one in _list_of(given, "service_account_ids")]
        for account in accounts:
            for role in roles:
                self._accounts.change_role(account, role)
        return said({"status": "ok"})

    def _remove(self, asked: Asked) -> Answer:
        removed = list[Account]()
        for project in _list_of(asked.body(), "projects"):
            self._check_project(project)
            removed += [self._changeable(one) for one in _list_of(project, "service_account_ids")]
        for account in removed:
            self._accounts.change_role(account, None)
        return said({"status": "ok"})

    def _role_here(self, project: Any, default: Any) -> Role:
        self._check_project(project)
        role = Role.named(project.get("role", default))
        if role is None:
            raise MistakeError(f"role: required, {ROLES}")
        return role

    def _check_project(self, project: Any) -> None:
        if not isinstance(project, dict) or str(project.get("id")) != self._project_id:
            raise MistakeError("projects: there is no such project in the organization", 404)

    def _found(self, account_id: Any) -> Account:
        account = self._accounts.get(account_id)
        if account is None:
            raise MistakeError("there is no service account of this id", 404)
        return account

    def _changeable(self, account_id: Any) -> Account:
        account = self._found(account_id)
        if account.built_in:
            raise MistakeError("this service account is the sandbox's own and stays as it is")
        return account


def _managing(method: str, rule: str, serve: Serve) -> Operation:
    return Operation(NAME, method, rule, serve, role=Role.ADMIN)


def _list_of(given: Any, name: str, *, needed: bool = True) -> list[Any]:
    found = given.get(name, None if needed else [])
    if not isinstance(found, list) or (needed and not found):
        raise MistakeError(f"{name}: required, a list")
    return found


def _expiry(given: dict[str, Any]) -> int | None:
    if not given.get("expires"):
        return None
    try:
        found = datetime.fromisoformat(given["expires"])
    except (TypeError, ValueError) as err:
        raise MistakeError("expires: a date and time, as in RFC 3339") from err
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)


def _shown(account: Account) -> dict[str, Any]:
    return {
        "id": account.account_id,
        "username": account.username,
        "last_used": iso(account.used_ms or account.created_ms),
        "expires": NEVER if account.expires_ms is None else iso(account.expires_ms),
        "creator": 1,
        "created": iso(account.created_ms),
        "user": 1000 + account.account_id,
    }


def _member(account: Account, role: Role) -> dict[str, Any]:
    return _shown(account) | {
        "hasSensitiveAccess": role >= Role.ADMIN,
        "role": role.name.lower(),
        "role_order": int(role),
        "target_type": "individual",
        "email": f"{account.username}@example.com",
    }
