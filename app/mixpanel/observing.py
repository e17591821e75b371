"""Count, measure and log each request to Mixpanel."""

import logging
import re
from typing import Final
from urllib.parse import urlsplit

from structlog.stdlib import get_logger

from app.metrics import families
from app.metrics.recorder import Recorder
from app.mixpanel.transport import Exchange

log = get_logger(__name__)

# What was refused record by record ends up in the dead letters, with a warning of its own.
_LEVELS: Final = {"ok": logging.DEBUG, "refused": logging.INFO}
_ID: Final = re.compile(r"/\d+(?=/|$)")


class Observer:
    """Is told of each request, in the thread that made it.

    A failed one is a warning in the log, with what is bound there (lane, sequences, batch); one that went
    well is for debugging. Never a body, a parameter or a credential.

    Args:
        recorder: of the process.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __call__(self, exchange: Exchange) -> None:
        """Note a request."""
        call, record = exchange.call, self._recorder
        where, status = call.route or endpoint(call.url), str(exchange.status or "none")
        record.count(families.MIXPANEL_REQUESTS, call.project_id, where, status, exchange.outcome)
        record.observe(families.MIXPANEL_SECONDS, exchange.seconds, where)
        if call.records is not None:
            record.observe(families.MIXPANEL_RECORDS, call.records, where)
        if call.body is not None:
            record.observe(families.MIXPANEL_BYTES, len(call.body), where)
        log.log(
            _LEVELS.get(exchange.outcome, logging.WARNING),
            "mixpanel_request",
            project_id=call.project_id,
            endpoint=where,
            status=exchange.status,
            outcome=exchange.outcome,
            records=call.records or 0,
            ms=round(exchange.seconds * 1000, 1),
        )


def endpoint(url: str) -> str:
    """Return the path of an address, without the ids in it."""
    return _ID.sub("/{id}", urlsplit(url).path)
