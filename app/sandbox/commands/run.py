"""`run`: start a sandbox in the foreground."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from app.sandbox.application import create_sandbox
from app.sandbox.config import SandboxConfig, SenderConfig
from app.sandbox.identity.systems import ID_SYSTEMS
from app.sandbox.log import make_log
from app.sandbox.machine import OtherSystemError
from app.sandbox.server import PortInUseError, Server, serve
from app.sandbox.store.database import StateInUseError


def _http_url(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        parts = urlsplit(value)
        complete = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        complete = False
    if not complete:
        raise click.BadParameter("a whole URL is needed, such as http://127.0.0.1:8080/hook")
    return value


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8089, type=click.IntRange(1, 65535), show_default=True)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the state is kept; in memory if left out.",
)
@click.option("--project-id", default="2195193", show_default=True)
@click.option(
    "--token",
    default="sandbox-token",
    envvar="SANDBOX_TOKEN",
    show_default=True,
    show_envvar=True,
    help="The project token.",
)
@click.option(
    "--id-management",
    type=click.Choice(ID_SYSTEMS),
    default="simplified",
    envvar="SANDBOX_ID_MANAGEMENT",
    show_default=True,
    show_envvar=True,
    help="The project's identity system; fixed once it holds events or links.",
)
@click.option("--service-account", default="sandbox-account", show_default=True, help="Its username.")
@click.option("--service-secret", default="sandbox-secret", envvar="SANDBOX_SERVICE_SECRET", show_envvar=True)
@click.option("--oauth-token", default="sandbox-oauth-token", envvar="SANDBOX_OAUTH_TOKEN", show_envvar=True)
@click.option(
    "--project-secret",
    default="sandbox-project-secret",
    envvar="SANDBOX_PROJECT_SECRET",
    show_envvar=True,
    help="The deprecated credential.",
)
@click.option(
    "--api-key",
    default="sandbox-api-key",
    envvar="SANDBOX_API_KEY",
    show_envvar=True,
    help="Of the legacy Data API v2, which is signed with the project secret.",
)
@click.option(
    "--profiles",
    default=5000,
    type=click.IntRange(0),
    show_default=True,
    help="People to invent in a new state.",
)
@click.option(
    "--cohorts",
    default=5,
    type=click.IntRange(0),
    show_default=True,
    help="Cohorts to define in a new state.",
)
@click.option(
    "--churn",
    default=0.01,
    type=click.FloatRange(0, 1),
    show_default=True,
    help="Part of a cohort exchanged a round.",
)
@click.option("--seed", default=1, show_default=True, help="Decides people, churn and faults.")
@click.option(
    "--webhook-url", callback=_http_url, help="Where the sender posts pages; without it, nothing is sent."
)
@click.option(
    "--username",
    default="",
    envvar="SANDBOX_WEBHOOK_USERNAME",
    show_envvar=True,
    help="Basic auth of the webhook.",
)
@click.option("--password", default="", envvar="SANDBOX_WEBHOOK_PASSWORD", show_envvar=True)
@click.option(
    "--interval",
    default=20.0,
    type=click.FloatRange(min=0, min_open=True),
    show_default=True,
    help="Seconds between rounds of syncs (Mixpanel: 1800).",
)
@click.option(
    "--retry-span",
    default=60.0,
    type=click.FloatRange(0),
    show_default=True,
    help="Seconds over which the 5 retries spread.",
)
@click.option(
    "--timeout",
    default=30.0,
    type=click.FloatRange(min=0, min_open=True),
    show_default=True,
    help="Seconds the sender waits for an answer.",
)
@click.option("--no-sender", is_flag=True, help="Sync only when asked to (`sync`).")
@click.option(
    "--export",
    "exported",
    multiple=True,
    default=("$phone", "plan"),
    show_default=True,
    help="A profile property sent with each member; repeatable.",
)
@click.option(
    "--log-format",
    type=click.Choice(["console", "json"]),
    envvar="LOG_FORMAT",
    default="console",
    show_default=True,
)
def run(**options: Any) -> None:
    """Start a sandbox; Ctrl-C ends it."""
    config = _config(options)
    as_json = options["log_format"] == "json"
    try:
        server = Server(options["host"], options["port"])
        sandbox = create_sandbox(config, make_log(as_json=as_json))
        if not as_json:
            click.echo(_banner(config, options["host"], options["port"]))
        serve(server, sandbox)
    except PortInUseError as err:
        raise click.ClickException(f"{err}: stop what listens there, or choose another with --port") from err
    except StateInUseError as err:
        raise click.ClickException(f"{err}: stop it, or choose another with --data-dir") from err
    except OtherSystemError as err:
        raise click.ClickException(f"{err}: start it as it was, or choose another with --data-dir") from err


def _config(options: dict[str, Any]) -> SandboxConfig:
    sender = SenderConfig(
        webhook_url=options["webhook_url"],
        username=options["username"],
        password=options["password"],
        automatic=not options["no_sender"],
        interval_s=options["interval"],
        retry_span_s=options["retry_span"],
        timeout_s=options["timeout"],
        exported=options["exported"],
    )
    return SandboxConfig(
        project_id=options["project_id"],
        token=options["token"],
        id_management=options["id_management"],
        service_account=options["service_account"],
        service_secret=options["service_secret"],
        project_secret=options["project_secret"],
        oauth_token=options["oauth_token"],
        api_key=options["api_key"],
        data_dir=options["data_dir"],
        seed=options["seed"],
        profiles=options["profiles"],
        cohorts=options["cohorts"],
        churn=options["churn"],
        sender=sender,
    )


def _banner(config: SandboxConfig, host: str, port: int) -> str:
    sender = config.sender
    target = "nowhere (no --webhook-url)" if sender.webhook_url is None else sender.webhook_url
    state = config.data_dir or "in memory"
    when = f"every {sender.interval_s:g} s" if sender.automatic else "when asked to"
    return "\n".join(
        (
            f"Mixpanel sandbox  http://{host}:{port}  (look around: http://{host}:{port}/sandbox/)",
            f"  project {config.project_id}, {config.id_management} identities, state {state}",
            f"  cohorts go to {target}, {when}",
        )
    )
