"""`/jql`: no script is run here. The one that the description gives as its default is known, and counted.

That is `Events(params).groupBy(["name"], mixpanel.reducer.count())` over `params.from_date` and `to_date`.
Every other script is refused: JavaScript would be a language of its own to stand in for.

Source: https://developer.mixpanel.com/reference/query-jql and the published OpenAPI description.
"""

import re
from collections import Counter
from typing import Any

from app.sandbox.api.answers import Answer
from app.sandbox.api.desk.asked import Asked, MistakeError, decoded
from app.sandbox.api.desk.operation import said
from app.sandbox.api.reports.reading import EventReader

EXAMPLE = "Events(params).groupBy(['name'], mixpanel.reducer.count())"
KNOWN = re.compile(
    r"""functionmain\(\)\{returnEvents\(params\)\.groupBy\(\[["']name["']\],mixpanel\.reducer\.count\(\)\);?\}"""
)


class Jql:
    """Answers the one script that is known."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader

    def query(self, asked: Asked) -> Answer:
        """Count events by name, or refuse."""
        script = "".join(asked.needed("script").split())
        if not KNOWN.fullmatch(script):
            raise MistakeError(f"script: this sandbox runs none but {EXAMPLE}")
        params = decoded("params", asked.needed("params"))
        if not isinstance(params, dict):
            raise MistakeError("params: must be a JSON object")
        days = _days(asked, params)
        counted = Counter(one.event for one in self._reader.between([], *days.days()))
        return said([{"key": [name], "value": counted[name]} for name in sorted(counted)])


def _days(asked: Asked, params: dict[str, Any]) -> Asked:
    """Return a request whose days are those of the script's parameters, which may be times."""
    given = {name: (str(params.get(name, ""))[:10],) for name in ("from_date", "to_date")}
    return Asked(asked.call, asked.who, asked.path, given, asked.now_s)
