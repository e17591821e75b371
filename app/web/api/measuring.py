"""Count the calls, by route and status, and the records that they hand in; measure how long each takes."""

import time

from flask import Flask, Response, g, request

from app.metrics import families
from app.metrics.recorder import Recorder
from app.web.api.log import fields


def measure_calls(app: Flask, recorder: Recorder) -> None:
    """Measure each call once it is answered."""

    def end(answer: Response) -> Response:
        if "begun_s" in g:
            _measure(recorder, answer.status_code, time.monotonic() - g.begun_s)
        return answer

    app.after_request(end)


def _measure(recorder: Recorder, status: int, took_s: float) -> None:
    line, route = fields(), str(request.url_rule)
    recorder.count(families.API_REQUESTS, request.method, route, str(status))
    recorder.observe(families.API_SECONDS, took_s, request.method, route)
    replayed = line.get("outcome") == "replayed"
    kept = "replayed" if replayed else "accepted"
    for outcome, number in ((kept, line.get("accepted", 0)), ("rejected", line.get("rejected", 0))):
        if number and (outcome == "rejected" or status < 300):  # noqa: PLR2004 - a success of HTTP's
            recorder.count(families.API_RECORDS, line["project"], route, outcome, by=number)
