"""The login of the pages: who gets in, and when a session ends."""

import re
import time
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
import redis
from flask import Flask

from app.services import Services
from app.web.login import session
from app.web.login.guard import local
from tests.integration.web.pages.browser import Browser
from tests.integration.web.pages.conftest import MakeToken
from tests.integration.web.services import SHOP

WRONG = f"crt_{'a' * 12}_{'b' * 43}"


def logged_in(browser: Browser) -> bool:
    return browser.get("/queues").status_code == 200


def test_a_token_that_may_look_gets_in_and_goes_where_it_wanted_to(
    browser: Browser, token: MakeToken
) -> None:
    answer = browser.get("/queues/apply/failed?page=1")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/login?next=%2Fqueues%2Fapply%2Ffailed%3Fpage%3D1"
    browser.get(answer.headers["Location"])
    answer = browser.submit("/login", token=f" {token('read')} ")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/queues/apply/failed?page=1")
    assert logged_in(browser)
    assert browser.get("/login").headers["Location"] == "/queues"


def test_a_wrong_token_does_not_get_in(browser: Browser) -> None:
    for text in (WRONG, "hunter2", ""):
        answer = browser.log_in(text)
        assert answer.status_code == 401
        assert text == "" or text not in answer.text
    assert not logged_in(browser)


def test_an_expired_one_and_one_that_may_not_look_are_told_so(browser: Browser, token: MakeToken) -> None:
    answer = browser.log_in(token("admin", lasts_ms=-1))
    assert (answer.status_code, "has expired" in answer.text) == (401, True)
    answer = browser.log_in(token("ingest"))
    assert (answer.status_code, "may hand data in" in answer.text) == (403, True)
    assert not logged_in(browser)


def test_too_many_wrong_ones_are_429_and_a_right_one_is_let_in_all_the_same(
    browser: Browser, token: MakeToken, services: Services
) -> None:
    for _ in range(3):
        assert browser.log_in(WRONG).status_code == 401
    answer = browser.log_in(WRONG)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert services.failed_logins.total() == 4
    assert browser.log_in(token("read")).status_code == 303


def test_a_revoked_token_ends_its_session_at_the_next_request(
    browser: Browser, token: MakeToken, services: Services
) -> None:
    text = token("read")
    browser.log_in(text)
    assert logged_in(browser)
    services.tokens.revoke(text.split("_")[1])
    assert not logged_in(browser)


def test_a_token_that_expires_ends_its_session(browser: Browser, token: MakeToken) -> None:
    browser.log_in(token("read", lasts_ms=60_000))
    assert logged_in(browser)
    with mock.patch.object(session, "now_ms", return_value=time.time_ns() // 1_000_000 + 60_001):
        assert not logged_in(browser)
    assert not logged_in(browser)  # its cookie is gone


def test_a_secret_that_was_rotated_away_ends_its_session(
    browser: Browser, token: MakeToken, services: Services
) -> None:
    text = token("read")
    browser.log_in(text)
    soon = time.time_ns() // 1_000_000 + 60_000
    services.tokens.rotate(text.split("_")[1], soon)
    assert logged_in(browser)  # the overlap
    services.tokens.rotate(text.split("_")[1], soon)
    assert not logged_in(browser)


def test_a_session_ends_after_twelve_hours_however_much_it_is_used(
    browser: Browser, token: MakeToken
) -> None:
    browser.log_in(token("read"))
    began_ms = time.time_ns() // 1_000_000
    for hours, inside in ((11.9, True), (12.1, False)):
        later = int(began_ms + timedelta(hours=hours).total_seconds() * 1000)
        with mock.patch.object(session, "now_ms", return_value=later):
            assert logged_in(browser) == inside


def test_logging_out_ends_the_session(browser: Browser, token: MakeToken) -> None:
    browser.log_in(token("read"))
    browser.get("/queues")
    assert browser.submit("/logout").status_code == 303
    assert not logged_in(browser)


def test_the_cookie_is_signed_holds_no_secret_and_no_script_can_read_it(
    app: Flask, browser: Browser, token: MakeToken
) -> None:
    text = token("read")
    answer = browser.log_in(text)
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert "Max-Age" in cookie or "Expires" in cookie
    with app.test_request_context(headers={"Cookie": cookie.split(";")[0]}):
        from flask import session as told  # noqa: PLC0415 - of this request

        held = str(dict(told))
    assert text.split("_")[1] in held
    assert text.split("_")[2] not in held
    forged = Browser(app)
    value = browser.cookie().value
    forged._client.set_cookie("cohort_relay_session", value[:-2] + "xx", domain="relay.example")
    assert not logged_in(forged)


def test_by_tls_the_cookie_goes_back_by_tls_only(app: Flask, token: MakeToken) -> None:
    assert "Secure" in Browser(app, tls=True).log_in(token("read")).headers["Set-Cookie"]


@pytest.mark.parametrize("services", [{"trusted_proxies": 1}], indirect=True)
def test_behind_a_proxy_its_word_tells_of_tls(app: Flask) -> None:
    for told, secure in (("https", True), ("http", False), ("https, http", False), ("", False)):
        answer = Browser(app).get("/login", headers={"X-Forwarded-Proto": told})
        assert ("Secure" in answer.headers["Set-Cookie"]) == secure, told


def test_without_a_proxy_nobody_is_believed_about_tls(browser: Browser) -> None:
    answer = browser.get("/login", headers={"X-Forwarded-Proto": "https"})
    assert "Secure" not in answer.headers["Set-Cookie"]


def test_a_form_that_is_not_ours_is_refused(app: Flask, browser: Browser, token: MakeToken) -> None:
    assert browser.post("/login", token=token("read")).status_code == 400
    browser.log_in(token("read"))
    assert browser.post("/logout").status_code == 400
    other = Browser(app)
    other.get("/login")
    theirs = re.findall(r'name="csrf_token" value="([^"]+)"', other.shown.text if other.shown else "")[0]
    assert browser.post("/logout", csrf_token=theirs).status_code == 400
    assert logged_in(browser)


@pytest.mark.parametrize(
    "target",
    [
        *(
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
            "javascript:alert(1)",
            "queues",
            "",
            "///evil.example",
        ),
        *("/\n/evil.example", "\\\\evil.example", "http:/queues", "/\t/evil.example"),
    ],
)
def test_the_login_leads_to_our_own_pages_only(target: str) -> None:
    assert local(target) == "/queues"


def test_a_login_leads_nowhere_else_whatever_the_form_says(browser: Browser, token: MakeToken) -> None:
    browser.get("/login")
    answer = browser.submit("/login", token=token("read"), next="//evil.example/")
    assert answer.headers["Location"] == "/queues"


def test_a_form_too_large_is_refused(browser: Browser) -> None:
    browser.get("/login")
    assert browser.submit("/login", token="a" * 20_000).status_code == 413


def test_logins_are_logged_by_the_tokens_id(browser: Browser, token: MakeToken, lines: list[Any]) -> None:
    text = token("read")
    browser.log_in(text)
    browser.get("/queues")
    browser.submit("/logout")
    told = [(line["event"], line["caller"]) for line in lines]
    assert told == [("login", text.split("_")[1]), ("logout", text.split("_")[1])]


def test_without_redis_the_login_says_so(browser: Browser, services: Services) -> None:
    browser.get("/login")
    with mock.patch.object(services.tokens, "find", side_effect=redis.ConnectionError("gone")):
        answer = browser.submit("/login", token=WRONG)
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert int(answer.headers["Retry-After"]) > 0


def test_the_api_takes_no_cookie_for_a_token(browser: Browser, token: MakeToken) -> None:
    browser.log_in(token("admin"))
    assert browser.get(f"/api/v1/projects/{SHOP}/cohorts").status_code == 401


def test_pages_load_nothing_from_elsewhere_and_have_no_scripts(browser: Browser, token: MakeToken) -> None:
    pages = [browser.get("/login")]
    browser.log_in(token("read"))
    pages += [browser.get("/queues"), browser.get("/queues/apply/failed"), browser.get("/queues/jobs/none")]
    for answer in pages:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';")
        assert "unsafe" not in policy
        assert "script" not in policy
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not re.search(r"<script|style=|\son\w+=|://", answer.text)
        for address in re.findall(r'<link [^>]*href="([^"]+)"', answer.text):
            assert browser.get(address).status_code == 200
