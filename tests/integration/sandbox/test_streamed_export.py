import gzip
from collections.abc import Callable

import orjson
import requests

from tests.integration.sandbox.conftest import Running

ACCOUNT = ("sandbox-account", "sandbox-secret")
PROJECT = {"project_id": "2195193"}
DAYS = {"from_date": "2023-11-01", "to_date": "2023-12-01"}
EVENTS = 140
LARGE = ["x" * 255] * 240  # 60 kB: together they are more than an answer may have in memory


def test_a_large_export_is_sent_piece_by_piece(run: Callable[..., Running]) -> None:
    sandbox = run("--no-sender", "--profiles", "0")
    sent = [
        {
            "event": "E",
            "properties": {
                "time": 1_700_000_000 + at,
                "distinct_id": "u",
                "$insert_id": f"i-{at}",
                "large": LARGE,
            },
        }
        for at in range(EVENTS)
    ]
    body = gzip.compress(orjson.dumps(sent), 1)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    imported = requests.post(
        f"{sandbox.url}/import",
        params={"strict": "1", **PROJECT},
        data=body,
        headers=headers,
        auth=ACCOUNT,
        timeout=30,
    )
    assert imported.json()["num_records_imported"] == EVENTS

    with requests.Session() as session:
        for encoding in ("identity", "gzip"):
            answer = session.get(
                f"{sandbox.url}/api/2.0/export",
                params=PROJECT | DAYS,
                headers={"Accept-Encoding": encoding},
                auth=ACCOUNT,
                timeout=30,
                stream=True,
            )
            assert answer.headers.get("Transfer-Encoding") == ("chunked" if encoding == "identity" else None)
            lines = answer.content.splitlines()
            assert [orjson.loads(line)["properties"]["$insert_id"] for line in lines] == [
                f"i-{at}" for at in range(EVENTS)
            ]
        funnels = session.get(
            f"{sandbox.url}/api/query/funnels/list", params=PROJECT, auth=ACCOUNT, timeout=30
        )
        assert funnels.json() == [{"funnel_id": 7001, "name": "Signup funnel"}]


def test_funnels_and_reports_are_saved_over_http(run: Callable[..., Running]) -> None:
    sandbox = run("--no-sender", "--profiles", "0")
    made = sandbox.post("/funnels", name="Sale", events=["Look", "Buy"], length=2, length_unit="hour")
    assert made["funnel_id"] in {one["funnel_id"] for one in sandbox.get("/funnels")["funnels"]}
    report = sandbox.post("/reports", name="Sales", events=["Buy"])
    assert report["bookmark_id"] in {one["bookmark_id"] for one in sandbox.get("/reports")["reports"]}
    assert "error" in sandbox.post("/funnels", name="Short", events=["Look"])
    assert "error" in sandbox.post("/reports", name="None", events=[])
