"""A call of a published operation."""

from dataclasses import dataclass, field
from typing import Any

TOKEN = "sandbox-token"


@dataclass(frozen=True)
class Published:
    """A call: `path` may name what an answer before had, such as `{annotation}`; `none`: its 200 is none."""

    operation: str
    method: str
    path: str
    status: int = 200
    said: dict[str, Any] = field(default_factory=dict)
    who: str | None = None
    keeps: tuple[str, tuple[Any, ...]] | None = None
    none: bool = False
