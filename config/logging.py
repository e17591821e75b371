"""Logging: structlog and the standard library's loggers, all as one line an event on stdout."""

import hashlib
import logging
import logging.config
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from config.access_lines import WithoutPeople

# Field names, compared without regard to case and a `$` in front, whose values are never written.
HIDDEN_FIELDS: Final = frozenset(
    {"email", "first_name", "last_name", "phone", "phone_number"}
    | {"token", "password", "secret", "api_secret", "secret_key", "authorization"}
)
# The same, but for numbers: `members=5000` says nothing about anybody.
COUNTED_FIELDS: Final = frozenset({"member", "members", "properties", "body", "payload", "record", "records"})
# Fields whose values are written as a hash, so that lines about one person can still be put together.
HASHED_FIELDS: Final = frozenset({"distinct_id", "mixpanel_distinct_id", "user_id", "device_id"})
# Libraries that write a line (or a URL) for every job and connection; their warnings are enough.
_QUIET_LIBRARIES: Final = ("urllib3", "rq", "redis", "asyncio")


def hide_personal_data(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Take values of personal and secret fields out of an event. Looks at the event's own fields only."""
    for key in event:
        bare = key.lower().lstrip("$")
        if bare in HIDDEN_FIELDS or (bare in COUNTED_FIELDS and not isinstance(event[key], int)):
            event[key] = "(hidden)"
        elif bare in HASHED_FIELDS:
            event[key] = hashlib.sha256(str(event[key]).encode()).hexdigest()[:12]
    return event


def _one_line(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Keep a foreign text with line breaks from passing for several events."""
    event["event"] = str(event.get("event", "")).replace("\r", "\\r").replace("\n", "\\n")
    return event


_SHARED: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.PositionalArgumentsFormatter(),
    hide_personal_data,
)


def log_config(level: str, log_format: str, *, access_log: bool = False) -> dict[str, Any]:
    """Describe the standard library's side, for `logging.config.dictConfig` and gunicorn alike.

    Args:
        level: the lowest level that is written, such as INFO.
        log_format: `console` (for people) or `json` (one object a line).
        access_log: whether gunicorn's line a request is written.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": _renderers(log_format),
                "foreign_pre_chain": _SHARED,
            }
        },
        "filters": {"people": {"()": WithoutPeople}},
        "handlers": {
            "stdout": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "line"}
        },
        "root": {"level": level, "handlers": ["stdout"]},
        "loggers": {
            **{name: {"level": max(level, "WARNING", key=_rank)} for name in _QUIET_LIBRARIES},
            # Warns of headers that are not well-formed, with the whole URL and what the other side sent.
            "urllib3.connection": {"level": "CRITICAL"},
            # Gunicorn's own handlers would write in its own format.
            "gunicorn.error": {"level": level, "handlers": [], "propagate": True},
            # With a configuration of logs, gunicorn writes the access log whatever its `accesslog` says.
            "gunicorn.access": {
                "level": "INFO" if access_log else "ERROR",
                "filters": ["people"],
                "handlers": [],
                "propagate": True,
            },
        },
    }


def configure_logging(level: str, log_format: str, *, access_log: bool = False) -> None:
    """Route every log of this process to stdout; may be called again."""
    logging.config.dictConfig(log_config(level, log_format, access_log=access_log))
    configure_structlog()


def configure_structlog() -> None:
    """Send structlog's events through the standard library; `configure_logging` does this too."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _rank(level: str) -> int:
    return logging.getLevelNamesMapping()[level]


def _renderers(log_format: str) -> list[Processor]:
    if log_format == "json":
        # Tracebacks as text: the structured ones carry local variables, thus tokens and members.
        return [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=_hidden, ensure_ascii=False),
        ]
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        _one_line,
        # The plain one: the rich one shows local variables.
        structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback, sort_keys=False
        ),
    ]


def _hidden(value: object) -> str:
    """Write what JSON does not know; a Secret writes itself as asterisks."""
    return str(value)
