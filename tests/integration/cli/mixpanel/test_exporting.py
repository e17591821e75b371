"""Raw events from the command line: to a file, gone on with where it stopped, and to standard output."""

import gzip
from pathlib import Path

import orjson

from app.sandbox.faults import Fault
from tests.integration.cli.mixpanel.conftest import World
from tests.integration.cli.mixpanel.test_calls import DAYS, answer, call
from tests.integration.cli.relay import Relay


def names(lines: bytes) -> list[str]:
    return sorted(orjson.loads(line)["event"] for line in lines.splitlines())


WANTED = ["Logged in"] * 2 + ["Signed up"] * 4
NAMED = ("--event", "Signed up", "--event", "Logged in")


def test_events_go_to_standard_output_a_line_each(relay: Relay) -> None:
    shown = call(relay, "export", "events", *DAYS, "--event", "Signed up", "--file", "-")
    assert names(shown.stdout_bytes) == ["Signed up"] * 4
    assert "4 events of 6 days" in shown.stderr


def test_an_export_that_broke_off_is_gone_on_with_at_the_day_where_it_stopped(
    relay: Relay, world: World, tmp_path: Path
) -> None:
    args = ("export", "events", *DAYS, *NAMED, "--file", "events.ndjson.gz", "--step-days", "3")
    world.machine.faults.add(Fault("api", "status", status=400, path="/export"))
    broken = call(relay, *args, "--retries", "0", status=1)
    assert "complete: begin again at" in broken.stderr
    assert (tmp_path / "events.ndjson.gz.progress").exists()
    assert answer(relay, *args) == {"ok": True, "events": 6, "days": 6, "size_bytes": answer_size(tmp_path)}
    assert names(gzip.decompress((tmp_path / "events.ndjson.gz").read_bytes())) == WANTED
    assert not (tmp_path / "events.ndjson.gz.progress").exists()


def test_a_file_that_is_there_is_left_alone(relay: Relay, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    refused = call(relay, "export", "events", *DAYS, "--file", "mine", status=1)
    assert "mine is there already" in refused.stderr
    assert (tmp_path / "mine").read_text() == "mine"


def test_days_and_outputs_that_cannot_be_are_refused(relay: Relay) -> None:
    turned = ("--from", "2026-08-02", "--to", "2026-08-01")
    assert "--to is before --from" in call(relay, "export", "events", *turned, "--file", "-", status=2).stderr
    assert "not both" in call(relay, "export", "events", *DAYS, "--file", "-", "--json", status=2).stderr


def answer_size(folder: Path) -> int:
    return len(gzip.decompress((folder / "events.ndjson.gz").read_bytes()))
