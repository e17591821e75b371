import pytest

from app.sandbox.sender.replies import Meaning, judge
from app.sandbox.sender.transport import Reply

FAILURE = b'{"action":"members","status":"failure","error":{"message":"no such cohort","code":%d}}'


@pytest.mark.parametrize(
    ("reply", "meaning", "reason"),
    [
        (Reply(200, b'{"action":"members","status":"success"}'), Meaning.SUCCESS, ""),
        (
            Reply(200, b'{"action":"add_members","status":"success"}'),
            Meaning.FAIL,
            "does not name the action",
        ),
        (Reply(200, b'{"action":"members"}'), Meaning.FAIL, "status is not success"),
        (Reply(200, b"ok"), Meaning.FAIL, "not a JSON object"),
        (Reply(200, b"[]"), Meaning.FAIL, "not a JSON object"),
        (Reply(200, FAILURE % 400), Meaning.PAUSE, "no such cohort"),
        (Reply(200, FAILURE % 503), Meaning.RETRY, "no such cohort"),
        (Reply(400, FAILURE % 400), Meaning.PAUSE, "no such cohort"),
        (Reply(401, b"<html>"), Meaning.PAUSE, "HTTP 401"),
        (Reply(403, FAILURE % 403), Meaning.PAUSE, "no such cohort"),
        (Reply(404, b'{"error":"nothing here"}'), Meaning.PAUSE, "nothing here"),
        (Reply(429, FAILURE % 429), Meaning.RETRY, "no such cohort"),
        (Reply(500, b""), Meaning.RETRY, "HTTP 500"),
        (Reply(503, FAILURE % 503), Meaning.RETRY, "no such cohort"),
        (Reply(413, b""), Meaning.FAIL, "HTTP 413"),
        (Reply(302, b""), Meaning.FAIL, "HTTP 302"),
    ],
)
def test_an_answer_means_what_the_documentation_says(reply: Reply, meaning: Meaning, reason: str) -> None:
    verdict = judge(reply, "members")

    assert verdict.meaning is meaning
    assert reason in verdict.reason
