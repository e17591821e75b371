"""The commands of a run: those of the Procfile, and the sandbox."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from app.local.child import Command
from app.local.plan import Plan, parse_procfile

# Ended in this order, so that nobody loses what it still needs; Redis comes after all of them.
_SANDBOX_PHASE, _WEB_PHASE, _CLOCK_PHASE, _WORKER_PHASE = 1, 2, 3, 4
_PHASES = {"web": _WEB_PHASE, "clock": _CLOCK_PHASE}
_GRACE_S = {"web": 20.0, "clock": 5.0}
_WORKER_GRACE_S = 40.0  # a slice of a lane, and the longest request to Mixpanel in it


def procfile_commands(root: Path, environ: Mapping[str, str]) -> tuple[Command, ...]:
    """Return the processes of the Procfile; each line is run by a shell, as foreman and hosts do."""
    return tuple(
        Command(
            name=name,
            arguments=("/bin/sh", "-c", f"exec {line}"),
            environ=_with_own_programs(environ),
            stop_phase=_PHASES.get(name, _WORKER_PHASE),
            grace_s=_GRACE_S.get(name, _WORKER_GRACE_S),
        )
        for name, line in parse_procfile((root / "Procfile").read_text())
    )


def sandbox_command(plan: Plan, environ: Mapping[str, str], data: Path) -> Command:
    """Return the sandbox, set up as the Mixpanel project that the plan names."""
    flags = {
        "--port": str(plan.sandbox_port),
        "--data-dir": str(data),
        "--project-id": environ["MIXPANEL_PROJECT_ID"],
        "--service-account": environ["MIXPANEL_SERVICE_ACCOUNT_USERNAME"],
        "--webhook-url": plan.webhook_url,
        "--interval": plan.sandbox_interval_s,
    }
    # Not as flags: everybody on the machine sees those.
    secrets = {
        "SANDBOX_TOKEN": environ["MIXPANEL_PROJECT_TOKEN"],
        "SANDBOX_SERVICE_SECRET": environ["MIXPANEL_SERVICE_ACCOUNT_SECRET"],
        "SANDBOX_WEBHOOK_USERNAME": environ["WEBHOOK_USERNAME"],
        "SANDBOX_WEBHOOK_PASSWORD": environ["WEBHOOK_PASSWORD"],
    }
    arguments = (f"{name}={value}" for name, value in flags.items())
    return Command(
        name="sandbox",
        arguments=(sys.executable, "-m", "app.sandbox", "run", *arguments),
        environ={**environ, **secrets},
        stop_phase=_SANDBOX_PHASE,
        grace_s=10.0,
    )


def _with_own_programs(environ: Mapping[str, str]) -> dict[str, str]:
    """Put this virtual environment's programs first, so that `python` and `gunicorn` are its own."""
    own = str(Path(sys.executable).parent)
    return {**environ, "PATH": os.pathsep.join((own, environ.get("PATH", os.defpath)))}
