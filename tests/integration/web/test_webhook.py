"""The webhook over an inbox that does as told: the order of the checks, the answers, the promise, the log."""

import gzip
import io
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
import redis
import structlog
from flask import Flask
from werkzeug.test import TestResponse

from app.cohorts.inbox import Accepted, InboxFull, NotAccepting
from app.web.factory import DRAINING, build_web
from app.web.webhook import PATH
from tests.integration.web.services import (
    BLOG,
    NEVER,
    SHOP,
    WITH_PROMISE,
    FakeInbox,
    FakeServices,
    basic,
    page,
    settings,
)

Lines = list[Any]


@pytest.fixture
def lines() -> Iterator[Lines]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def post(
    services: FakeServices, body: bytes = page(), user: str | None = "shop", **options: Any
) -> TestResponse:
    return send(build_web(services), body, user, **options)


def send(app: Flask, body: bytes = page(), user: str | None = "shop", **options: Any) -> TestResponse:
    headers = {**(basic(user) if user else {}), **options.pop("headers", {})}
    return app.test_client().post(PATH, data=body, headers=headers, **options)


def failure(answer: TestResponse, status: int) -> str:
    """Check the shape of a failure and return its message."""
    assert answer.status_code == status
    sent: Any = answer.get_json()
    assert set(sent) == {"action", "status", "error"}
    assert sent["status"] == "failure"
    assert sent["error"]["code"] == status
    return str(sent["error"]["message"])


@pytest.mark.parametrize("action", ["members", "add_members", "remove_members"])
def test_a_page_is_kept_as_it_was_sent_and_acknowledged_in_mixpanels_shape(action: str) -> None:
    services = FakeServices()
    body = page(action=action)
    answer = post(services, body)
    assert answer.status_code == 200
    assert answer.get_json() == {"action": action, "status": "success"}
    [(head, kept)] = services.inbox.pages
    assert (head.project_id, head.action, kept) == (SHOP, action, body)


@pytest.mark.parametrize("body", [page(members=[]), page(members=[{}]), page(members=["x"], page_info=None)])
def test_a_page_with_nobody_usable_is_a_page(body: bytes) -> None:
    assert post(FakeServices(), body).status_code == 200


def test_a_copy_is_acknowledged_like_a_page() -> None:
    inbox = FakeInbox(accepted=Accepted(duplicate=True, delay_s=0.0, page="1-0"))
    assert post(FakeServices(inbox=inbox)).get_json() == {"action": "members", "status": "success"}


def test_a_slash_behind_the_address_is_forgiven() -> None:
    assert (
        build_web(FakeServices())
        .test_client()
        .post(f"{PATH}/", data=page(), headers=basic("shop"))
        .status_code
        == 200
    )


def test_gzip_is_unpacked_before_it_is_kept() -> None:
    services = FakeServices()
    answer = post(services, gzip.compress(page()), headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 200
    assert services.inbox.pages[0][1] == page()


@pytest.mark.parametrize("headers", [{}, basic("shop", "wrong"), {"Authorization": "Bearer x"}])
def test_without_a_right_credential_it_is_401_and_says_how(headers: dict[str, str]) -> None:
    answer = post(FakeServices(), user=None, headers=headers)
    assert "password" in failure(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(
    ("body", "field", "action"),
    [
        (b"{", "body", None),
        (b"[]", "body", None),
        (page(action="zap"), "action", "zap"),
        (page(mixpanel_cohort_id=None), "parameters.mixpanel_cohort_id", "members"),
        (page(members={}), "parameters.members", "members"),
        (b'{"action": "members"}', "parameters", "members"),
    ],
)
def test_what_is_no_page_is_400_naming_the_field(body: bytes, field: str, action: str | None) -> None:
    answer = post(FakeServices(), body)
    assert field in failure(answer, 400)
    assert answer.get_json()["action"] == action


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_an_encoding_that_cannot_be_undone_is_400_naming_it(encoding: str) -> None:
    answer = post(FakeServices(), headers={"Content-Encoding": encoding})
    assert "Content-Encoding" in failure(answer, 400)


def test_a_project_that_is_not_configured_is_404_naming_it() -> None:
    assert "9999" in failure(post(FakeServices(), page("9999")), 404)


def test_another_projects_credential_is_403() -> None:
    answer = post(FakeServices(), page(BLOG))
    assert BLOG in failure(answer, 403)
    assert answer.get_json()["action"] == "members"


BIG = b" " * 10_001
BOMB = gzip.compress(BIG)


def test_a_body_over_the_limit_is_413_by_its_length() -> None:
    assert "10000" in failure(post(FakeServices(), BIG), 413)
    assert post(FakeServices(), page() + b" " * (10_000 - len(page()))).status_code == 200


class Zeros(io.RawIOBase):
    """A body without end."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        buffer[:] = bytes(len(buffer))
        return len(buffer)


def test_a_body_whose_length_is_over_the_limit_is_not_even_kept_while_it_is_refused() -> None:
    services = FakeServices(settings=settings(max_body_bytes=8_000_000))
    endless = {"wsgi.input": Zeros(), "CONTENT_LENGTH": "9000000"}
    app = build_web(services)
    tracemalloc.start()
    answer = send(app, environ_overrides=endless)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    failure(answer, 413)
    assert peak_bytes < 1_000_000


def test_a_body_over_the_limit_is_413_while_reading_where_no_length_is_given() -> None:
    endless = {"wsgi.input": io.BytesIO(BIG * 1000), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    failure(post(FakeServices(), environ_overrides=endless), 413)


def test_a_body_that_unpacks_over_the_limit_is_413() -> None:
    assert len(BOMB) < 100
    failure(post(FakeServices(), BOMB, headers={"Content-Encoding": "gzip"}), 413)


class Broken(io.RawIOBase):
    """A connection that breaks while the body arrives."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.error is not None:
            raise self.error
        return 0


@pytest.mark.parametrize("error", [None, OSError("reset"), ValueError("bad chunk"), TimeoutError()])
def test_a_body_that_does_not_arrive_whole_is_503_whatever_its_length_said(error: Exception | None) -> None:
    with_length = {"wsgi.input": Broken(error), "CONTENT_LENGTH": "500"}
    failure(post(FakeServices(), environ_overrides=with_length), 503)


def test_a_body_shorter_than_its_length_is_503_though_the_stream_just_ends_as_gunicorns_does() -> None:
    cut = {"wsgi.input": io.BytesIO(page()[:50]), "wsgi.input_terminated": True, "CONTENT_LENGTH": "200"}
    failure(post(FakeServices(), environ_overrides=cut), 503)


@pytest.mark.parametrize("error", [OSError("reset"), ValueError("bad chunk"), Exception()])
def test_a_body_in_chunks_that_breaks_off_is_503(error: Exception) -> None:
    chunked = {"wsgi.input": Broken(error), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    failure(post(FakeServices(), environ_overrides=chunked), 503)


def test_the_checks_come_in_their_order() -> None:
    services = FakeServices()
    gzipped = {"Content-Encoding": "gzip"}
    assert post(services, BIG, user=None).status_code == 413
    assert post(services, BOMB, user=None, headers=gzipped).status_code == 401  # it is not unpacked
    assert post(services, BOMB, headers=gzipped).status_code == 413
    assert post(services, b"no gzip", user=None, headers=gzipped).status_code == 401
    assert post(services, b"{", user=None).status_code == 401
    assert post(services, page("9999", members=None)).status_code == 400
    assert post(services, page("9999")).status_code == 404
    assert post(services, page(BLOG)).status_code == 403
    assert services.inbox.pages == []


REDIS_ERRORS = [
    redis.ConnectionError("Error 111"),
    redis.TimeoutError("Timeout reading"),
    redis.BusyLoadingError("LOADING"),
    redis.ReadOnlyError("READONLY"),
    redis.OutOfMemoryError("OOM"),
    redis.ResponseError("NOREPLICAS"),
    redis.ResponseError("MISCONF"),
    redis.exceptions.NoScriptError("NOSCRIPT"),
    redis.AuthenticationError("WRONGPASS"),
    redis.exceptions.ClusterDownError("CLUSTERDOWN"),
]


@pytest.mark.parametrize("error", REDIS_ERRORS, ids=lambda error: f"{type(error).__name__} {error}")
def test_whatever_redis_suffers_from_is_503_with_a_time_to_come_back(error: Exception, lines: Lines) -> None:
    answer = post(FakeServices(inbox=FakeInbox(error=error)))
    failure(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.get_json()["action"] == "members"
    [line] = lines
    assert (line["outcome"], line["error"]) == ("store_unavailable", type(error).__name__)


def test_a_full_inbox_is_429_with_the_time_it_says_rounded_up() -> None:
    answer = post(FakeServices(inbox=FakeInbox(error=InboxFull(2.2))))
    failure(answer, 429)
    assert answer.headers["Retry-After"] == "3"


def test_a_mistake_of_ours_is_500_and_leaks_nothing(lines: Lines) -> None:
    answer = post(FakeServices(inbox=FakeInbox(error=KeyError("person@example.com"))))
    failure(answer, 500)
    assert int(answer.headers["Retry-After"]) > 0
    assert "person" not in answer.text + str(lines)
    assert "Traceback" not in answer.text
    assert (lines[0]["log_level"], lines[0]["error"]) == ("error", "KeyError")


def test_above_the_soft_cap_the_answer_is_late_by_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    for delay_s in (0.0, 0.3, 9.0):
        services = FakeServices(inbox=FakeInbox(accepted=Accepted(False, delay_s, page="1-0")))
        assert post(services).status_code == 200
    assert slept == [0.3, 1.0]


def test_a_process_that_is_ending_answers_503() -> None:
    services = FakeServices()
    app = build_web(services)
    app.extensions[DRAINING].begin()
    answer = send(app)
    failure(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert services.inbox.pages == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_any_other_method_is_405_and_tells_what_the_address_is_for(method: str) -> None:
    answer = build_web(FakeServices()).test_client().open(PATH, method=method)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    if method != "HEAD":
        assert PATH in failure(answer, 405)


def test_an_address_near_the_webhook_is_404_in_the_shape_that_mixpanel_displays() -> None:
    failure(build_web(FakeServices()).test_client().post("/webhooks/mixpanel/cohort"), 404)


def test_any_other_unknown_address_is_404_in_one_short_object() -> None:
    answer = build_web(FakeServices()).test_client().get("/nothing")
    assert (answer.status_code, answer.get_json()) == (404, {"status": 404, "error": "Not Found."})


def test_an_error_elsewhere_has_no_shape_of_the_webhooks() -> None:
    answer = build_web(FakeServices()).test_client().post("/healthz")
    assert (answer.status_code, answer.get_json()) == (405, {"status": 405, "error": "Method Not Allowed."})
    assert "GET" in answer.headers["Allow"]


# --- never_pause
# ------------------------------------------------------------------------------------------------


def promising() -> FakeServices:
    return FakeServices(settings=settings(projects=WITH_PROMISE))


@pytest.mark.parametrize(
    ("user", "body", "instead_of"),
    [
        (None, page(NEVER), 401),
        (None, page(SHOP), 401),
        ("never", b"{", 400),
        ("never", page(NEVER, members=None), 400),
        ("never", page("9999"), 404),
        ("never", page(SHOP), 403),
        ("shop", page(NEVER), 403),
    ],
)
def test_where_it_may_be_a_project_that_must_not_pause_it_is_503_and_an_alert(
    user: str | None, body: bytes, instead_of: int, lines: Lines
) -> None:
    answer = post(promising(), body, user)
    failure(answer, 503)
    assert int(answer.headers["Retry-After"]) > 0
    assert "WWW-Authenticate" not in answer.headers
    [alert] = [line for line in lines if line["log_level"] == "error"]
    assert alert["event"] == "sync_needs_a_person"
    assert (alert["instead_of"], alert["projects"]) == (instead_of, [NEVER])


@pytest.mark.parametrize(
    ("user", "body", "status"),
    [("shop", b"{", 400), ("shop", page("9999"), 404), ("shop", page(BLOG), 403)],
)
def test_where_it_cannot_be_such_a_project_it_pauses(
    user: str, body: bytes, status: int, lines: Lines
) -> None:
    failure(post(promising(), body, user), status)
    assert [line["log_level"] for line in lines] == ["warning"]


def test_wrong_credentials_alert_once_a_minute_and_count_the_others(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now_s)
    app = build_web(promising())
    for _ in range(5):
        assert send(app, user=None).status_code == 503
    now_s += 61
    send(app, user=None)
    alerts = [line for line in lines if line["event"] == "sync_needs_a_person"]
    assert [alert["not_logged_before"] for alert in alerts] == [0, 4]


def test_other_causes_alert_every_time(lines: Lines) -> None:
    app = build_web(promising())
    for _ in range(3):
        send(app, b"{", "never")
    assert len([line for line in lines if line["event"] == "sync_needs_a_person"]) == 3


def test_the_promise_changes_nothing_else() -> None:
    services = promising()
    assert post(services, BIG, "never").status_code == 413
    assert post(services, page(NEVER), "never").status_code == 200


# --- the log
# ----------------------------------------------------------------------------------------------------


def test_a_page_is_one_line_without_personal_data(lines: Lines) -> None:
    post(FakeServices())
    [line] = lines
    assert line.pop("ms") >= 0
    assert line == {
        "event": "page",
        "log_level": "info",
        "project": SHOP,
        "cohort": "7",
        "session": "s1",
        "action": "members",
        "page": "1-0",
        "number": 1,
        "total": 1,
        "members": 1,
        "outcome": "accepted",
        "status": 200,
    }


def test_a_copy_and_a_refusal_are_one_line_each_with_their_outcome(lines: Lines) -> None:
    post(FakeServices(inbox=FakeInbox(accepted=Accepted(duplicate=True, delay_s=0.0, page="1-0"))))
    post(FakeServices(), page(members=None))
    post(FakeServices(), user=None, headers=basic("shop", "hunter2"))
    assert [line["outcome"] for line in lines] == ["copy", "invalid_payload", "bad_credential"]
    assert lines[1]["field"] == "parameters.members"
    assert "hunter2" not in str(lines)


def test_an_operator_who_stops_accepting_pauses_no_sync(lines: Lines) -> None:
    services = FakeServices(inbox=FakeInbox(error=NotAccepting()))
    answer = post(services)
    assert "later" in failure(answer, 503)
    assert answer.headers["Retry-After"] == "60"
    (line,) = [each for each in lines if each["event"] == "page"]
    assert (line["outcome"], line["project"]) == ("not_accepting", SHOP)
