"""Who may do what: every route, every kind of token."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from werkzeug.test import TestResponse

from app.access.scopes import SCOPES, Scope, allows
from app.store import keys
from app.web.api import PREFIX
from app.web.factory import DRAINING, build_web
from tests.integration.web.api.relay import Relay, problem
from tests.integration.web.services import BLOG, SHOP

DAY_MS = 24 * 3_600_000
PUBLIC = {
    f"{PREFIX}/openapi.json",
    f"{PREFIX}/docs",
    f"{PREFIX}/docs/start.js",
    f"{PREFIX}/docs/<name>",
    f"{PREFIX}/problems/<code>",
    f"{PREFIX}/events/schemas",
    f"{PREFIX}/events/schemas/<name>/<int:version>",
}


def addresses(relay: Relay, project_id: str = SHOP) -> list[tuple[str, str, Scope]]:
    """Return every guarded route with its placeholders filled."""
    filled = {
        "project_id": project_id,
        "distinct_id": "someone",
        "letter_id": "1-1",
        "destination": "profiles",
        "cohort_id": "7",
        "resync_id": f"{project_id}-1",
    }
    found = []
    for method, rule, scope in relay.routes():
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda name: filled.get(name[1], "nothing-7"), rule)
        found.append((method, path.removeprefix(PREFIX), scope))
    return found


def of_project(relay: Relay, project_id: str) -> list[tuple[str, str, Scope]]:
    """Return every guarded route that is about one project."""
    return [each for each in addresses(relay, project_id) if f"/projects/{project_id}/" in each[1]]


def ask(relay: Relay, method: str, path: str, authorization: str | None) -> TestResponse:
    headers = {} if authorization is None else {"Authorization": authorization}
    return relay.call(method, path, b"[]", {**headers, "Content-Type": "application/json"})


def test_every_route_needs_a_token_but_the_few_that_anybody_may_read(relay: Relay) -> None:
    guarded = {rule for _, rule, _ in relay.routes()}
    ours = {rule.rule for rule in relay.app.url_map.iter_rules() if rule.rule.startswith("/api")}
    assert ours - guarded == PUBLIC
    assert len(guarded) >= 3


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def revoked(relay: Relay) -> str:
    authorization = relay.token("admin")
    relay.services.tokens.revoke(authorization.split("_")[1])
    return authorization


def another_secret(relay: Relay) -> str:
    return relay.token("admin")[:-43] + relay.token("admin")[-43:]


WITHOUT: dict[str, tuple[str, Callable[[Relay], str | None]]] = {
    "no header": ("token_missing", lambda _: None),
    "an empty header": ("token_missing", lambda _: ""),
    "no token": ("token_missing", lambda _: "Bearer "),
    "the webhook's way": ("token_missing", lambda _: "Basic c2hvcDpzaG9w"),
    "another scheme": ("token_missing", lambda relay: relay.token("admin").replace("Bearer", "Token")),
    "no token's form": ("token_invalid", lambda _: "Bearer hunter2"),
    "a token that never was": ("token_invalid", lambda _: f"Bearer crt_{'a' * 12}_{'b' * 43}"),
    "another token's secret": ("token_invalid", another_secret),
    "two tokens": ("token_invalid", lambda relay: relay.token("admin") + " " + relay.token("admin")),
    "another case": ("token_invalid", lambda relay: "Bearer " + relay.token("admin")[7:].swapcase()),
    "a revoked token": ("token_invalid", revoked),
    "an expired token": ("token_expired", lambda relay: relay.token("admin", expires_ms=now_ms() - DAY_MS)),
    "one that just expired": (
        "token_expired",
        lambda relay: relay.token("admin", expires_ms=now_ms()),
    ),
}


@pytest.mark.parametrize("kind", WITHOUT)
def test_without_a_right_token_every_route_is_401_and_says_how_to_come(relay: Relay, kind: str) -> None:
    code, make = WITHOUT[kind]
    for method, path, _ in addresses(relay):
        authorization = make(relay)
        answer = ask(relay, method, path, authorization)
        problem(answer, 401, code)
        challenge = answer.headers["WWW-Authenticate"]
        assert challenge.startswith('Bearer realm="cohort-relay"')
        assert ('error="invalid_token"' in challenge) == (code != "token_missing")
        assert not authorization or authorization not in answer.text


@pytest.mark.parametrize("held", SCOPES)
def test_a_scope_opens_what_it_implies_and_elsewhere_is_told_which_is_missing(
    relay: Relay, held: Scope
) -> None:
    authorization = relay.token(held)
    for method, path, needed in addresses(relay):
        answer = ask(relay, method, path, authorization)
        if allows([held], needed):
            assert answer.status_code not in (401, 403)
        else:
            assert needed in problem(answer, 403, "scope_missing")["detail"]
            assert f'scope="{needed}"' in answer.headers["WWW-Authenticate"]


def test_another_project_and_none_at_all_are_answered_alike(relay: Relay) -> None:
    bound = relay.token("admin", project_id=BLOG)
    for own, foreign, nowhere in zip(
        of_project(relay, BLOG), of_project(relay, SHOP), of_project(relay, "9999"), strict=True
    ):
        told: list[dict[str, Any]] = []
        for method, path, _ in (foreign, nowhere):
            told.append(problem(ask(relay, method, path, bound), 404, "unknown_project"))
            told[-1].pop("instance")
        assert told[0] == told[1]
        assert SHOP not in str(told)
        answer = ask(relay, own[0], own[1], bound)
        assert answer.status_code not in (401, 403)
        assert '"unknown_project"' not in answer.text


def test_a_token_for_all_projects_reaches_the_configured_ones_only(relay: Relay) -> None:
    for method, path, _ in of_project(relay, "9999"):
        problem(ask(relay, method, path, relay.token("admin")), 404, "unknown_project")


def test_the_scheme_may_be_written_in_any_case(relay: Relay) -> None:
    ((method, path, _), *_) = addresses(relay)
    authorization = relay.token("admin")
    for scheme in ("bearer", "BEARER"):
        answer = ask(relay, method, path, authorization.replace("Bearer", scheme))
        assert answer.status_code not in (401, 403)


def test_the_scope_is_asked_before_the_project(relay: Relay) -> None:
    bound = relay.token("read", project_id=BLOG)
    problem(relay.post("events", [], headers={"Authorization": bound}), 403, "scope_missing")


def test_a_process_that_is_ending_answers_503_on_every_route(relay: Relay) -> None:
    relay.app = build_web(relay.services)
    relay.app.extensions[DRAINING].begin()
    for method, path, _ in addresses(relay):
        answer = ask(relay, method, path, relay.authorization)
        problem(answer, 503, "shutting_down")
        assert int(answer.headers["Retry-After"]) > 0


def test_the_last_use_is_noted_also_of_a_call_that_is_refused(
    relay: Relay, redis_client: redis.Redis
) -> None:
    token_id = relay.authorization.split("_")[1]
    relay.post("events", b"{")
    used: Any = redis_client.hget(keys.token(token_id), "used_ms")
    assert abs(int(used) - now_ms()) < 10_000


def test_a_wrong_secret_is_no_use(relay: Relay) -> None:
    token_id = relay.authorization.split("_")[1]
    problem(ask(relay, *addresses(relay)[0][:2], f"Bearer crt_{token_id}_{'x' * 43}"), 401, "token_invalid")
    (token,) = [each for each in relay.services.tokens.all() if each.id == token_id]
    assert token.used_ms is None


def test_other_methods_are_405_and_name_those_that_there_are(relay: Relay) -> None:
    known: dict[str, set[str]] = {}
    for method, path, _ in addresses(relay):
        known.setdefault(path, set()).add(method)
    for path, methods in known.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - methods:
            answer = ask(relay, method, path, None)
            problem(answer, 405, "method_not_allowed")
            assert methods == set(answer.headers["Allow"].split(", ")) - {"OPTIONS", "HEAD"}
