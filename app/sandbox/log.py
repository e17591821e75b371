"""One line a sync on stdout, JSON or text: counts and cohort names, never people's data."""

import sys
from typing import Any

import structlog


def make_log(*, as_json: bool) -> Any:
    """Return a structlog logger of the sandbox's own, which leaves the process's logging set-up alone."""
    renderer: Any = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    )
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stdout),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        process="sandbox",
    )
