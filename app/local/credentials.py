"""What a local run needs and nobody set: made up once, kept in `var/demo.env`, readable by its owner only."""

import os
import secrets
from pathlib import Path

from dotenv import dotenv_values

_HEADER = "# Made up by the first `make run`, for this directory only. Remove the file to have new ones.\n"


def load_or_create(path: Path) -> dict[str, str]:
    """Return the credentials of this directory, making up those that the file does not hold yet.

    Returns:
        values by the names of the environment variables that they stand in for.
    """
    kept = {name: value for name, value in _read(path).items() if value}
    complete = {**_make_up(), **kept}
    if complete != kept:
        write_private(path, _HEADER + as_env(complete))
    return complete


def keep(path: Path, name: str, value: str) -> None:
    """Add a credential to those of this directory."""
    write_private(path, _HEADER + as_env({**load_or_create(path), name: value}))


def as_env(values: dict[str, str]) -> str:
    """Render an environment file: a `NAME=value` a line, quoted so that dotenv reads it back as it was."""
    quoted = {name: value.replace("\\", "\\\\").replace("'", "\\'") for name, value in values.items()}
    return "".join(f"{name}='{value}'\n" for name, value in quoted.items())


def write_private(path: Path, text: str) -> None:
    """Replace a file by one that only its owner can read, at no moment half-written or open to others."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def _read(path: Path) -> dict[str, str | None]:
    return dotenv_values(path, interpolate=False) if path.exists() else {}


def _make_up() -> dict[str, str]:
    return {
        "MIXPANEL_PROJECT_ID": str(1_000_000 + secrets.randbelow(9_000_000)),
        "MIXPANEL_PROJECT_TOKEN": secrets.token_hex(16),
        "MIXPANEL_SERVICE_ACCOUNT_USERNAME": "demo.mp-service-account",
        "MIXPANEL_SERVICE_ACCOUNT_SECRET": secrets.token_urlsafe(24),
        "WEBHOOK_USERNAME": "mixpanel",
        "WEBHOOK_PASSWORD": secrets.token_urlsafe(18),
        "SECRET_KEY": secrets.token_urlsafe(32),
        "EMBEDDED_REDIS_PASSWORD": secrets.token_hex(16),
    }
