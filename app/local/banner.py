"""What a person sees first: where everything is, and with which credentials."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from app.local.plan import Plan


def banner(plan: Plan, environ: Mapping[str, str], var: Path, token: str | None) -> str:
    """Return the banner.

    Args:
        plan: what runs.
        environ: the environment of its processes.
        var: where its data and logs are.
        token: for the API; None where this run has none to show.
    """
    rows = (f"  {label:<12} {value}" for label, value in _rows(plan, environ, var, token))
    end = "  Ctrl-C ends everything; the next `make run` goes on where this one stopped.\n"
    return "\n".join(("", *rows, "", f"  {_next_step(plan)}", end))


def _rows(plan: Plan, environ: Mapping[str, str], var: Path, token: str | None) -> Iterator[tuple[str, str]]:
    address = f"http://localhost:{plan.port}"
    yield "Webhook", f"{address}{plan.webhook_path}"
    yield "", _webhook_credentials(plan, environ, var)
    yield "API", f"{address}/api/v1/docs"
    yield "", _token(token, var)
    yield "Queues", f"{address}/queues (log in with a token)"
    yield "Health", f"{address}/readyz"
    if plan.demo:
        project = environ["MIXPANEL_PROJECT_ID"]
        yield "Sandbox", f"http://localhost:{plan.sandbox_port}/ plays Mixpanel's project {project}"
    else:
        yield "Mixpanel", "the real one"
    yield "Redis", f"embedded, data in {var}" if plan.own_redis else "as in REDIS_URL"
    yield "Logs", f"{var}/log/"
    yield "State", f"flask --env-file {var}/run.env status (in the virtual environment)"


def _webhook_credentials(plan: Plan, environ: Mapping[str, str], var: Path) -> str:
    if "WEBHOOK_PASSWORD" in plan.chosen:
        user, password = environ["WEBHOOK_USERNAME"], environ["WEBHOOK_PASSWORD"]
        return f"user {user}, password {password} (made up, kept in {var}/demo.env)"
    if "WEBHOOK_PASSWORD" in environ:
        return "user and password as in WEBHOOK_USERNAME and WEBHOOK_PASSWORD"
    return "users and passwords as in the projects file"


def _token(token: str | None, var: Path) -> str:
    if token:
        return f"token {token} (made up, kept in {var}/demo.env)"
    return "token: one of those that were made, or a new one with `flask tokens create`"


def _next_step(plan: Plan) -> str:
    if plan.demo:
        interval = plan.sandbox_interval_s
        return f"Every sync is a line below; cohorts change every {interval} s (Mixpanel: 30 minutes)."
    return "Give Mixpanel the webhook by an address it can reach from outside; every sync is a line below."
