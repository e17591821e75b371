"""References of the projects file to environment variables: `${SHOP_TOKEN}`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from config.secret import Secret

_REFERENCE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# Rules are templates, where a brace means something else, and nothing in them is a secret.
_NEVER_WITHIN: Final = "rules"


@dataclass(frozen=True, slots=True)
class Reference:
    """A value that stands in an environment variable; `value` is None when that is not set or empty."""

    variable: str
    value: Secret | None


def reference(variable: str, environ: Mapping[str, str]) -> Reference:
    """Look a variable up. White space around the value, as files of secrets end with, is taken off."""
    value = environ.get(variable, "").strip()
    return Reference(variable, Secret(value) if value else None)


def resolve_references(value: Any, environ: Mapping[str, str]) -> Any:
    """Replace each text that is exactly one `${NAME}` by its Reference, outside rules."""
    if isinstance(value, str):
        match = _REFERENCE.fullmatch(value)
        return reference(match[1], environ) if match else value
    if isinstance(value, list):
        return [resolve_references(item, environ) for item in value]
    if isinstance(value, dict):
        return {
            key: item if key == _NEVER_WITHIN else resolve_references(item, environ)
            for key, item in value.items()
        }
    return value
