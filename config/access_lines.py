"""Take people's ids out of the addresses in gunicorn's access log: some addresses of the API end with one."""

import logging
import re
from typing import Any, Final

_NAMING: Final = re.compile(r"(/projects/[^/]*/(?:people|members|identity-links)/).+", re.DOTALL)


class WithoutPeople(logging.Filter):
    """Cuts an address behind what says that an id of a person follows."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the line's address; let every line pass."""
        atoms: Any = record.args
        if isinstance(atoms, dict) and isinstance(atoms.get("U"), str):
            atoms["U"] = _NAMING.sub(r"\1-", atoms["U"])
        return True
