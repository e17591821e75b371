"""The pages about queues, jobs and workers.

Jobs of all projects share the queues, so a token of one project does not do. Looking needs `read`; sending
failed jobs again and removing them needs `operate`, and is audited.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, cast

from flask import Blueprint, Response, flash, request, url_for

from app.access.scopes import Scope
from app.lanes.jobs import A_PAGE, REGISTRIES, Jobs, JobSeen, RegistryName
from app.web.api.access import caller
from app.web.api.log import fields
from app.web.login.guard import Guard
from app.web.pages.shell import HOME, Refused, page, page_blueprint, see

_REGISTRY: Final = f"<any({','.join(REGISTRIES)}):registry>"


@dataclass(frozen=True)
class QueuePages:
    """The pages, and what they need.

    Attributes:
        jobs: RQ's records.
        guard: lets in who may.
    """

    jobs: Jobs
    guard: Guard

    def blueprint(self) -> Blueprint:
        """Return the routes to register."""
        blueprint = page_blueprint("queues")
        routes: tuple[tuple[str, str, Scope, Callable[..., Response]], ...] = (
            ("GET", "", "read", self.overview),
            ("GET", f"/<queue>/{_REGISTRY}", "read", self.list_jobs),
            ("GET", "/jobs/<job_id>", "read", self.show_job),
            ("POST", "/jobs/<job_id>/send-again", "operate", self.send_again),
            ("POST", "/jobs/<job_id>/remove", "operate", self.remove),
            ("POST", "/<queue>/failed/send-again", "operate", self.send_all_again),
            ("POST", "/<queue>/failed/remove", "operate", self.remove_all),
        )
        for method, rule, scope, view in routes:
            guarded = self.guard(view, scope, of_all_projects=True)
            blueprint.add_url_rule(f"{HOME}{rule}", view.__name__, guarded, methods=[method])
        return blueprint

    def overview(self) -> Response:
        """Show queues and workers."""
        return _page(
            "overview", queues=self.jobs.queues(), workers=self.jobs.workers(), registries=REGISTRIES
        )

    def list_jobs(self, queue: str, registry: str) -> Response:
        """Show a page of jobs."""
        number = request.args.get("page", 1, type=int)
        if not 0 < number < 10**6:
            raise Refused(HTTPStatus.NOT_FOUND, "There is no such page.")
        found = self.jobs.page(queue, cast("RegistryName", registry), number)
        return _page(
            "jobs", queue=queue, registry=registry, found=found, number=number, last=-(-found.total // A_PAGE)
        )

    def show_job(self, job_id: str) -> Response:
        """Show a job."""
        return _page("job", job=self._job(job_id))

    def send_again(self, job_id: str) -> Response:
        """Send a failed job again."""
        job = self._job(job_id)
        return self._done(job.queue, "Sent again", int(self.jobs.send_again(job_id)))

    def remove(self, job_id: str) -> Response:
        """Remove a failed job."""
        job = self._job(job_id)
        return self._done(job.queue, "Removed", int(self.jobs.remove(job_id)))

    def send_all_again(self, queue: str) -> Response:
        """Send a queue's failed jobs again, 500 at most."""
        return self._done(queue, "Sent again", self._each_failed(queue, self.jobs.send_again))

    def remove_all(self, queue: str) -> Response:
        """Remove a queue's failed jobs, 500 at most."""
        return self._done(queue, "Removed", self._each_failed(queue, self.jobs.remove))

    def _each_failed(self, queue: str, do: Callable[[str], bool]) -> int:
        done = 0
        for job_id in self.jobs.failed(queue):
            if do(job_id):
                done += 1
            else:
                self.jobs.forget(queue, job_id)
        return done

    def _done(self, queue: str, what: str, count: int) -> Response:
        fields().update(jobs=count)  # the audit log counts with it
        flash(f"{what}: {count} {'job' if count == 1 else 'jobs'}.")
        return see(url_for(".list_jobs", queue=queue, registry="failed"))

    def _job(self, job_id: str) -> JobSeen:
        job = self.jobs.job(job_id)
        if job is None:
            raise Refused(HTTPStatus.NOT_FOUND, "There is no such job; what is done is not kept.")
        return job


def _page(name: str, **told: Any) -> Response:
    token = caller()
    return page(
        f"queues/{name}.html",
        visitor=token,
        may_operate=token.allows("operate"),
        now=datetime.now(UTC),
        **told,
    )
