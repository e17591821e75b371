"""`/healthz`: the process answers. `/readyz`: it may be sent pages, and if not, why."""

from dataclasses import dataclass

from flask import Blueprint, Response, jsonify

from app.status.checks import Check
from app.status.readiness import check_all
from app.web.causes import SHUTTING_DOWN, STORE_UNAVAILABLE
from app.web.draining import Draining
from app.web.ports import WebServices


@dataclass(frozen=True)
class Health:
    """The two health routes; they need no credential and tell no secret."""

    services: WebServices
    draining: Draining

    def blueprint(self) -> Blueprint:
        """Return the routes to register."""
        blueprint = Blueprint("health", __name__)
        blueprint.add_url_rule("/healthz", view_func=healthz)
        blueprint.add_url_rule("/readyz", view_func=self.readyz)
        return blueprint

    def readyz(self) -> Response:
        """Answer 200 when every check is as it must be, else 503; the body names each with its reason."""
        checks = list(self._checks())
        ready = all(check.ok for check in checks)
        answer = jsonify(
            status="ready" if ready else "not ready",
            checks={check.name: {"ok": check.ok, "reason": check.reason} for check in checks},
        )
        if not ready:
            answer.status_code = STORE_UNAVAILABLE.status
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _checks(self) -> list[Check]:
        if self.draining.begun:
            return [Check("process", "fail", SHUTTING_DOWN.code)]
        services = self.services
        allow_volatile = services.settings.allow_volatile_redis
        return list(check_all(services.redis, services.heartbeats.alive, allow_volatile=allow_volatile))


def healthz() -> Response:
    """Answer 200: only a process that cannot do that should be restarted, so nothing else is looked at."""
    return jsonify(status="ok")
