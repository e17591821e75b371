"""RQ's own view: queues, failed jobs and workers, for whoever is logged in."""

import re
from typing import Any
from unittest import mock

import pytest
from flask import Flask
from redis import Redis
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from app.lanes import jobs
from app.lanes.jobs import Jobs
from app.services import Services
from tests.integration.web.pages.browser import Browser, forms
from tests.integration.web.pages.conftest import MakeToken
from tests.integration.web.services import SHOP

SEEN: list[str] = []
BROWSERS: list[Browser] = []


def fail(*_: Any) -> None:
    """A job that fails, with something in its error that is none of the page's."""
    raise ValueError("<script>alert(1)</script>")


def look(*_: Any) -> None:
    """A job that looks at the page of workers while it runs."""
    SEEN.append(BROWSERS[0].get("/queues").text)


@pytest.fixture
def queue(redis_client: Redis) -> Queue:
    return Queue("apply", connection=redis_client, serializer=JSONSerializer)


@pytest.fixture
def operator(browser: Browser, token: MakeToken) -> Browser:
    browser.log_in(token("operate"))
    BROWSERS[:] = [browser]
    SEEN.clear()
    return browser


def enqueue(queue: Queue, job: str, wake: int = 1) -> str:
    job_id = f"{SHOP}-apply-{wake}"
    queue.enqueue(
        f"{__name__}.{job}", args=(SHOP, "apply", wake), job_id=job_id, result_ttl=0, failure_ttl=600
    )
    return job_id


def work(queue: Queue) -> None:
    worker = SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer)
    worker.log_result_lifespan = False
    worker.work(burst=True, logging_level="CRITICAL")


def failed(queue: Queue, count: int) -> list[str]:
    ids = [enqueue(queue, "fail", wake) for wake in range(1, count + 1)]
    work(queue)
    return ids


def text_of(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page).split())


def test_the_overview_counts_jobs_and_shows_the_worker_and_its_job(operator: Browser, queue: Queue) -> None:
    failed(queue, 2)
    running = enqueue(queue, "look", 7)
    enqueue(Queue("other", connection=queue.connection), "fail")
    work(queue)
    (seen,) = SEEN
    table = text_of(seen)
    assert "apply 0 1 2 0 0 0 0" in table  # waiting, started, failed, ...
    assert "mixpanel 0 0 0 0 0 0 0" in table
    assert "other 1 0 0" in table
    assert f'<a href="/queues/jobs/{running}">' in seen
    assert "busy" in table
    assert "No worker is registered" in operator.get("/queues").text


def test_failed_jobs_are_listed_the_newest_first_with_the_reason_and_nothing_of_it_is_markup(
    operator: Browser, queue: Queue
) -> None:
    ids = failed(queue, 3)
    page = operator.get("/queues/apply/failed").text
    assert re.findall(r'href="/queues/jobs/([^"]+)"', page) == ids[::-1]
    assert "ValueError: &lt;script&gt;" in page
    page = operator.get(f"/queues/jobs/{ids[0]}").text
    assert "Traceback" in page
    assert "<script>" not in page
    assert f"fail(&#39;{SHOP}&#39;, &#39;apply&#39;, 1)" in page


def test_lists_have_pages(operator: Browser, queue: Queue) -> None:
    with mock.patch.object(jobs, "A_PAGE", 2), mock.patch("app.web.queues.views.A_PAGE", 2):
        for wake in range(1, 6):
            enqueue(queue, "fail", wake)
        found, address = [], "/queues/apply/waiting"
        while address:
            page = operator.get(address).text
            found += re.findall(r'href="/queues/jobs/([^"]+)"', page)
            address = next(iter(re.findall(r'href="([^"]+)">Next page', page)), "")
    assert found == [f"{SHOP}-apply-{wake}" for wake in range(1, 6)]
    for number, status in (("0", 404), ("99", 200), ("-1", 404), ("x", 200), ("9" * 30, 404)):
        assert operator.get(f"/queues/apply/waiting?page={number}").status_code == status


def test_a_failed_job_is_sent_again(operator: Browser, queue: Queue, services: Services) -> None:
    first, second = failed(queue, 2)
    operator.get("/queues/apply/failed")
    answer = operator.submit(f"/queues/jobs/{first}/send-again")
    assert answer.headers["Location"] == "/queues/apply/failed"
    assert queue.get_job_ids() == [first]
    assert queue.failed_job_registry.get_job_ids() == [second]
    assert "Sent again: 1 job." in operator.get("/queues/apply/failed").text
    (entry,) = services.audit.all()
    assert entry.entry.action == "POST /queues/jobs/<job_id>/send-again"
    assert (entry.entry.resources, entry.entry.counts) == ({"job_id": first}, {"jobs": 1})


def test_a_failed_job_is_removed_and_no_other_can_be(operator: Browser, queue: Queue) -> None:
    first, second = failed(queue, 2)
    waiting = enqueue(queue, "fail", 9)
    operator.get(f"/queues/jobs/{first}")
    operator.submit(f"/queues/jobs/{first}/remove")
    assert not Job.exists(first, connection=queue.connection)
    operator.get(f"/queues/jobs/{second}")
    token = forms(operator.shown.text if operator.shown else "")[0]["fields"]["csrf_token"]
    for what in ("remove", "send-again"):
        assert operator.post(f"/queues/jobs/{waiting}/{what}", csrf_token=token).status_code == 303
    assert queue.get_job_ids() == [waiting]


@pytest.mark.parametrize("what", ["send-again", "remove"])
def test_all_failed_jobs_at_once_also_where_one_is_gone(operator: Browser, queue: Queue, what: str) -> None:
    ids = failed(queue, 3)
    queue.connection.delete(Job.key_for(ids[1]))
    operator.get("/queues/apply/failed")
    operator.submit(f"/queues/apply/failed/{what}")
    assert "2 jobs." in operator.get("/queues/apply/failed").text
    assert queue.failed_job_registry.get_job_ids() == []
    assert queue.get_job_ids() == ([ids[0], ids[2]] if what == "send-again" else [])


def test_all_at_once_are_so_many_at_most(operator: Browser, queue: Queue) -> None:
    failed(queue, 3)
    with mock.patch.object(jobs, "AT_ONCE", 2):
        operator.get("/queues/apply/failed")
        operator.submit("/queues/apply/failed/remove")
    assert queue.failed_job_registry.get_job_count(cleanup=False) == 1


def test_who_may_look_may_not_change(app: Flask, token: MakeToken, queue: Queue, services: Services) -> None:
    (job_id,) = failed(queue, 1)
    reader = Browser(app)
    reader.log_in(token("read"))
    page = reader.get("/queues/apply/failed").text
    assert [form["action"] for form in forms(page)] == ["/logout"]
    csrf = forms(page)[0]["fields"]["csrf_token"]
    for path in (
        f"jobs/{job_id}/send-again",
        f"jobs/{job_id}/remove",
        "apply/failed/send-again",
        "apply/failed/remove",
    ):
        assert reader.post(f"/queues/{path}", csrf_token=csrf).status_code == 403
    assert queue.failed_job_registry.get_job_ids() == [job_id]
    assert {each.entry.outcome for each in services.audit.all()} == {"scope_missing"}


def test_a_token_of_one_project_does_not_do(browser: Browser, token: MakeToken) -> None:
    browser.log_in(token("admin", project_id=SHOP))
    answer = browser.get("/queues")
    assert (answer.status_code, "for all projects" in answer.text) == (403, True)


def test_every_page_asks_for_a_login_and_every_change_for_a_form_of_ours(
    app: Flask, operator: Browser, services: Services
) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/queues")]
    assert len(rules) >= 7
    for rule in rules:
        path = re.sub("<any.*?>", "failed", rule.rule).replace("<queue>", "apply").replace("<job_id>", "none")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = app.test_client().open(path, method=method)
            assert (answer.status_code, answer.headers["Location"][:6]) == (303, "/login"), rule
            if method == "POST":
                assert operator.post(path).status_code == 400, rule
    assert list(services.audit.all()) == []


def test_what_is_no_json_is_never_unpickled(operator: Browser, redis_client: Redis) -> None:
    theirs = Queue("theirs", connection=redis_client)
    job = theirs.enqueue(print, "hello", description="a description")
    assert "cannot be read" in operator.get(f"/queues/jobs/{job.id}").text


def test_looking_tidies_nothing_up(operator: Browser, queue: Queue, redis_client: Redis) -> None:
    failed(queue, 2)
    redis_client.zadd(queue.failed_job_registry.key, {f"{SHOP}-apply-1": 1.0})  # its time is over
    before = redis_client.zrange(queue.failed_job_registry.key, 0, -1)
    operator.get("/queues")
    operator.get("/queues/apply/failed")
    assert redis_client.zrange(queue.failed_job_registry.key, 0, -1) == before


def test_without_redis_the_page_says_so(operator: Browser, services: Services) -> None:
    with mock.patch.object(Jobs, "queues", side_effect=ConnectionError):
        assert operator.get("/queues").status_code == 500
    from redis.exceptions import TimeoutError as Late  # noqa: PLC0415 - next to the builtin of the name

    with mock.patch.object(Jobs, "queues", side_effect=Late):
        answer = operator.get("/queues")
    assert (answer.status_code, answer.mimetype) == (503, "text/html")


@pytest.mark.parametrize("path", ["jobs/none", "apply/nothing", "jobs/%00", "jobs/a%20b", "jobs/a:b"])
def test_what_is_not_there_is_404(operator: Browser, path: str) -> None:
    assert operator.get(f"/queues/{path}").status_code == 404
