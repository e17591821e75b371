"""Raw events, streamed: day by day, in bounded memory, and gone on with after a failure."""

import gzip
import io
import resource
import time
import tracemalloc
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest

from app.mixpanel.calling.exporting import Exporter
from app.mixpanel.calling.failures import CallFailed
from app.mixpanel.calling.journal import Exported, NotResumable
from app.mixpanel.calling.options import NO_RETRIES, Options, Retries
from app.mixpanel.request_budget import Slot
from app.store import keys
from tests.integration.mixpanel.calling.conftest import World
from tests.integration.mixpanel.server import Reply, Request

FIRST, LAST = date(2026, 8, 1), date(2026, 8, 3)
GZIP = {"Content-Encoding": "gzip"}


def event(day: str, number: int) -> bytes:
    return orjson.dumps({"event": "A", "properties": {"day": day, "n": number}}) + b"\n"


def exporter(world: World, arguments: dict[str, Any] | None = None, **more: Any) -> Exporter:
    """Make an exporter that waits for its slots, as exports do, and tries again without a delay."""
    options = more.pop("options", Options(retries=Retries(delay_s=0, jitter_s=(0, 0))))
    return Exporter(world.api(sleep=time.sleep), world.project, arguments, options=options, **more)


def day_of(request: Request) -> str:
    return parse_qs(request.query)["from_date"][0]


def three_events(request: Request) -> Reply:
    return Reply(200, b"".join(event(day_of(request), number) for number in range(3)))


def days_in(text: bytes) -> list[str]:
    return [orjson.loads(line)["properties"]["day"] for line in text.splitlines()]


ALL_DAYS = [day for day in ("2026-08-01", "2026-08-02", "2026-08-03") for _ in range(3)]


def test_each_day_is_a_request_and_the_events_come_in_order(world: World) -> None:
    world.server.behaviour = three_events
    told: list[Exported] = []
    out = io.BytesIO()
    done = exporter(world, {"event": ["A"]}, tell=told.append).to_stream(out, FIRST, LAST)
    assert days_in(out.getvalue()) == ALL_DAYS
    assert [day_of(request) for request in world.server.requests] == sorted(set(ALL_DAYS))
    assert all(parse_qs(request.query)["event"] == ['["A"]'] for request in world.server.requests)
    assert all("gzip" in request.headers["Accept-Encoding"] for request in world.server.requests)
    assert (done.events, done.days_done, done.days, done.size_bytes) == (9, 3, 3, len(out.getvalue()))
    assert told[-1] == done


def test_a_step_may_be_several_days_and_a_limit_makes_it_all_of_them(world: World) -> None:
    world.server.behaviour = three_events
    exporter(world, step_days=2).to_stream(io.BytesIO(), FIRST, LAST)
    exporter(world, {"limit": 5}).to_stream(io.BytesIO(), FIRST, LAST)
    periods = [parse_qs(request.query) for request in world.server.requests]
    assert [(one["from_date"][0][-2:], one["to_date"][0][-2:]) for one in periods] == [
        ("01", "02"),
        ("03", "03"),
        ("01", "03"),
    ]


@pytest.mark.parametrize("compress", [False, True])
def test_a_file_is_gone_on_with_at_the_first_day_that_is_not_complete(
    world: World, tmp_path: Path, compress: bool
) -> None:
    path, broken = tmp_path / "events.ndjson", True

    def behaviour(request: Request) -> Reply:
        reply = three_events(request)
        cut = broken and day_of(request) == "2026-08-02"
        return Reply(200, pieces=[reply.body], cut="body") if cut else reply

    world.server.behaviour = behaviour
    once = Options(retries=NO_RETRIES)
    export = exporter(world, options=once)
    with pytest.raises(CallFailed) as caught:
        export.to_file(path, FIRST, LAST, compress=compress)
    assert caught.value.problem.code == "broken"
    assert "begin again at 2026-08-02" in str(caught.value)
    assert read(path, compress) == ALL_DAYS[:3]
    with pytest.raises(NotResumable):
        exporter(world, {"event": ["B"]}).to_file(path, FIRST, LAST, compress=compress)
    broken = False
    world.server.requests.clear()
    done = export.to_file(path, FIRST, LAST, compress=compress)
    assert read(path, compress) == ALL_DAYS
    assert done.events == 9
    assert [day_of(request) for request in world.server.requests] == ["2026-08-02", "2026-08-03"]
    assert [one.name for one in tmp_path.iterdir()] == ["events.ndjson"]
    with pytest.raises(NotResumable):
        export.to_file(path, FIRST, LAST, compress=compress)


def read(path: Path, compress: bool) -> list[str]:
    return days_in(gzip.decompress(path.read_bytes()) if compress else path.read_bytes())


def test_a_killed_export_leaves_what_can_be_gone_on_with(world: World, tmp_path: Path) -> None:
    class Killed(BaseException):
        pass

    def tell(done: Exported) -> None:
        if done.events == 3 + 1:
            raise Killed

    path = tmp_path / "events.ndjson"
    world.server.behaviour = lambda request: Reply(
        200, pieces=[event(day_of(request), number) for number in range(3)]
    )
    with pytest.raises(Killed):
        exporter(world, tell=tell).to_file(path, FIRST, LAST)
    exporter(world).to_file(path, FIRST, LAST)
    assert read(path, compress=False) == ALL_DAYS


def test_nothing_of_a_step_that_broke_off_stays(world: World, tmp_path: Path) -> None:
    path, once = tmp_path / "events.ndjson", Options(retries=NO_RETRIES)
    world.server.behaviour = lambda _request: Reply(
        200, pieces=[event("cut", n) for n in range(9)], cut="body"
    )
    with pytest.raises(CallFailed):
        exporter(world, options=once).to_file(path, FIRST, FIRST)
    assert path.read_bytes() == b""
    path.write_bytes(event("left by a process that was killed", 1) * 9)
    world.server.behaviour = lambda _request: Reply(200, event("whole", 1))
    exporter(world).to_file(path, FIRST, FIRST)
    assert read(path, compress=False) == ["whole"]


def test_a_refused_export_can_be_corrected_and_nobody_else_may_read_the_file(
    world: World, tmp_path: Path
) -> None:
    path = tmp_path / "events.ndjson"
    world.server.behaviour = lambda _request: Reply(400)
    with pytest.raises(CallFailed):
        exporter(world, {"where": "("}).to_file(path, FIRST, FIRST)
    world.server.behaviour = three_events
    exporter(world).to_file(path, FIRST, FIRST)
    assert read(path, compress=False) == ALL_DAYS[:3]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_is_written_by_one_process_at_a_time(world: World, tmp_path: Path) -> None:
    path, found = tmp_path / "events.ndjson", list[str]()
    world.server.behaviour = three_events

    def tell(_done: Exported) -> None:
        try:
            exporter(world).to_file(path, FIRST, FIRST)
        except NotResumable as error:
            found.append(str(error))

    exporter(world, tell=tell).to_file(path, FIRST, FIRST)
    assert all("being written" in one for one in found)
    assert found
    assert read(path, compress=False) == ALL_DAYS[:3]


def test_a_day_that_breaks_off_is_written_once(world: World, tmp_path: Path) -> None:
    attempts: list[str] = []

    def behaviour(request: Request) -> Reply:
        attempts.append(day_of(request))
        reply = three_events(request)
        return Reply(200, pieces=[reply.body], cut="body") if len(attempts) <= 2 else reply

    world.server.behaviour = behaviour
    exporter(world).to_file(tmp_path / "e", FIRST, LAST)
    assert read(tmp_path / "e", compress=False) == ALL_DAYS
    assert len(world.server.requests) == 2 + 3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (event("x", 1) + b"terminated early\n", "terminated_early"),
        (event("x", 1) + b'{"event": "A", "prop', "unreadable"),
        (b"<html>\n", "unreadable"),
        (b'{"error": "nope"}\n', "refused"),
    ],
)
def test_what_is_no_event_ends_the_export(world: World, body: bytes, code: str) -> None:
    world.server.behaviour = lambda _request: Reply(200, body)
    with pytest.raises(CallFailed) as caught:
        exporter(world).to_stream(io.BytesIO(), FIRST, FIRST)
    assert caught.value.problem.code == code
    assert world.api().budget(world.project.id)["export"].windows[0].left == 59


def test_a_refused_export_is_explained(world: World) -> None:
    world.server.behaviour = lambda _request: Reply(400, b"Invalid where")
    with pytest.raises(CallFailed) as caught:
        exporter(world, {"where": "("}).to_stream(io.BytesIO(), FIRST, FIRST)
    assert (caught.value.problem.code, caught.value.answered) == ("bad_request", "Invalid where")


def test_a_days_events_may_be_none_and_a_last_line_may_lack_its_end(world: World) -> None:
    world.server.behaviour = lambda request: Reply(
        200, b"" if day_of(request) == "2026-08-02" else event(day_of(request), 1).rstrip()
    )
    out = io.BytesIO()
    done = exporter(world).to_stream(out, FIRST, LAST)
    assert days_in(out.getvalue()) == ["2026-08-01", "2026-08-03"]
    assert done.events == 2


class Sink(io.RawIOBase):
    def __init__(self) -> None:
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.size += len(data)
        return len(data)


def test_a_long_export_takes_the_memory_of_a_piece(world: World) -> None:
    lines = b"".join(event("2026-08-01", number) for number in range(1_000))
    packed = gzip.compress(lines * 20, 1)

    def members() -> Iterator[bytes]:
        for _ in range(50):
            yield packed

    world.server.behaviour = lambda _request: Reply(200, headers=GZIP, pieces=members())
    sink, before = Sink(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tracemalloc.start()
    try:
        done = exporter(world).to_stream(sink, FIRST, FIRST)  # type: ignore[arg-type] # it writes
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert done.events == 1_000_000
    assert sink.size == len(lines) * 1_000 > 50_000_000
    assert most_bytes < 2_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


def test_an_export_that_takes_long_keeps_its_slot(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.mixpanel.calling.streams.RENEW_S", 0.0)
    renewed: list[Slot] = []
    api = world.api()
    budget = api._budgets._requests["export"]
    renew = budget.renew

    def counting(project_id: str, slot: Slot) -> bool:
        renewed.append(slot)
        return renew(project_id, slot)

    monkeypatch.setattr(budget, "renew", counting)
    world.server.behaviour = lambda _request: Reply(200, pieces=[event("x", n) for n in range(3)])
    with api.stream(
        world.project, "export", "events", {"from_date": FIRST.isoformat(), "to_date": FIRST.isoformat()}
    ) as stream:
        lines = stream.lines()
        next(lines)
        assert world.redis.zcard(keys.requests_under_way(world.project.id, "export")) == 1
        assert len(list(lines)) == 2
    assert renewed
    assert world.redis.zcard(keys.requests_under_way(world.project.id, "export")) == 0
