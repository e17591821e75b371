"""Identity links of a project in a real Redis, and the sandbox's identity systems behind a real socket."""

import gzip
import io
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, cast

from flask import Flask
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from app.cohorts.changelog import ChangeLog
from app.cohorts.commit import NewEntry
from app.destinations.cursor import Cursor
from app.destinations.dead_letters import DeadLetters
from app.destinations.identity.ledger import Ledger
from app.destinations.identity.links import Link
from app.destinations.identity.mover import LinkMover
from app.destinations.identity.pending import PendingLinks
from app.destinations.identity.sending import LinkSender
from app.destinations.identity.source import LinksSource
from app.destinations.outbox import Outboxes
from app.destinations.runner import Destination
from app.lanes.lanes import HeldLane, Lanes
from app.lanes.outcome import Outcome
from app.lanes.queue import LaneQueue
from app.lanes.runner import LaneRunner
from app.lanes.work import readers_of
from app.mixpanel.batches import BatchSender
from app.mixpanel.budget import IngestionBudget
from app.mixpanel.ingestion import Ingestion
from app.mixpanel.size_limit import SizeLimits
from app.mixpanel.transport import Transport
from app.sandbox.application import create_sandbox
from app.sandbox.config import SandboxConfig
from app.sandbox.machine import machine_of
from app.store import keys, scripts
from config.links import IdManagement, LinkRule
from config.projects import HOSTS, Project, ServiceAccount
from config.rules import Rule, RuleSet
from config.secret import Secret
from tests.integration.destinations.world import SilentQueue

TIMEOUT_S = 20.0
LANES = ("identity", "identity-outbox")
DEVICE_RULES = RuleSet((Rule(links=(LinkRule("device", "{member[user_id]}", "{member[device_id]}"),)),))

Events = list[dict[str, Any]]
Fault = Callable[[Events], str | None]
"""Says what goes wrong with a request: "lost" (it never arrived), "unanswered" (it did), or nothing."""


@dataclass
class Sandboxed:
    """The sandbox as a WSGI application, with a door that notes what comes in and may be slammed."""

    app: Flask
    fault: Fault = lambda _events: None
    requests: list[Events] = field(default_factory=list)
    arrived: list[Events] = field(default_factory=list)
    credentials: list[str] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        events = json.loads(gzip.decompress(body))
        self.requests.append(events)
        self.credentials.append(environ.get("HTTP_AUTHORIZATION", ""))
        fault = self.fault(events)
        if fault != "lost":
            self.arrived.append(events)
            answer = list(self.app(environ, start_response if fault is None else cast("Any", _nobody)))
        if fault is not None:
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return []
        return answer

    @property
    def events(self) -> Events:
        """Every record that arrived, in order."""
        return [event for events in self.arrived for event in events]

    def cluster(self, node: str) -> set[str]:
        return set(machine_of(self.app).identities.cluster(node).ids)

    def canonical(self, node: str) -> str:
        return machine_of(self.app).identities.canonical(node)

    def outcomes(self) -> list[str]:
        """What became of each link that the sandbox took note of."""
        return [one.outcome for one in machine_of(self.app).links.page(0, 100_000)]


def _nobody(*_args: Any) -> None:
    """Take an answer that is never given."""


def sandbox_of(system: IdManagement, project_id: str, *, most: int = 500) -> Sandboxed:
    config = SandboxConfig(
        project_id=project_id,
        token="token-1",
        id_management=system,
        service_account="account",
        service_secret="hush",
        profiles=0,
        cohorts=0,
    )
    app = create_sandbox(config)
    controls = machine_of(app).controls
    controls.limits = replace(controls.limits, max_cluster=most)
    return Sandboxed(app)


@dataclass
class Switch:
    """One server for many sandboxes, one after the other."""

    url: str = ""
    now: Sandboxed | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        assert self.now is not None
        return self.now(environ, start_response)


class Clumsy:
    """Makes a client's connection break at one command of the test's choosing, its answer lost or not."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.sent = 0
        self.breaks_at: int | None = None
        self.arrives = False
        self._execute = redis.execute_command
        redis.execute_command = self._command  # type: ignore[method-assign]

    def _command(self, *args: Any, **options: Any) -> Any:
        number, self.sent = self.sent, self.sent + 1
        breaks = number == self.breaks_at
        answer = None if breaks and not self.arrives else self._execute(*args, **options)  # type: ignore[no-untyped-call]  # untyped in redis-py
        if breaks:
            raise RedisConnectionError("the line broke")
        return answer


class IdentityWorld:
    """The two lanes of identity, as a process makes them when it starts."""

    def __init__(self, redis: Redis, url: str, system: IdManagement, project_id: str = "2195193") -> None:
        self.redis = redis
        self.project = Project(
            id=project_id,
            name="Shop",
            region="eu",
            token=Secret("token-1"),
            hosts=replace(HOSTS["eu"], ingestion=url),
            webhook_credentials=(),
            service_account=ServiceAccount("account", Secret("hush")),
            id_management=system,
            integration_id="relay",
            rules=DEVICE_RULES,
        )
        self.lanes = Lanes(redis, cast("LaneQueue", SilentQueue()), lease_s=15.0)
        self.changelog = ChangeLog(redis, self.lanes, 1000, readers_of({project_id: self.project}))
        self.dead_letters = DeadLetters(redis)
        self.now_s = time.time()
        self._append = scripts.load(redis, "cohorts/scripts/append.lua")
        self._transport = Transport(timeout_s=TIMEOUT_S)
        self._senders: list[LinkSender] = []
        self.build()

    def build(self, cap_bytes: int = 10_000_000, connections: int = 4) -> None:
        """Make the destination, as a process does when it starts."""
        redis = self.redis
        self.ledger = Ledger(redis)
        self.outboxes = Outboxes(redis, self.lanes, cap_bytes)
        self.pending = PendingLinks(redis, self.outboxes)
        endpoint = Ingestion(self._transport).import_events
        batches = BatchSender(endpoint, IngestionBudget(redis), SizeLimits(redis))
        self.cursor = Cursor(redis, "identity-outbox", 1000)
        sender = LinkSender(
            batches, self.cursor, self.ledger, self.pending, connections=connections, timeout_s=TIMEOUT_S
        )
        self._senders.append(sender)
        source = LinksSource(self.outboxes, self.ledger, self.pending)
        self.mover_cursor = Cursor(redis, "identity", 1000)
        mover = LinkMover(
            redis, self.lanes, self.changelog, self.ledger, self.mover_cursor, cap_bytes=cap_bytes
        )
        outbox = Destination(source, sender, self.cursor, random=Random(1))
        self.runners: dict[str, LaneRunner] = {"identity": mover, "identity-outbox": outbox}

    def close(self) -> None:
        for sender in self._senders:
            sender.close()
        self._transport.close()

    def submit(self, *links: Link) -> None:
        """Hand links in, as the API does."""
        self.outboxes.submit(self.project.id, "identity", [link.to_json() for link in links])

    def change(
        self,
        entered: Mapping[str, Mapping[str, Any]],
        updated: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        exited: Sequence[str] = (),
        cause: str = "sync",
    ) -> None:
        """Append one entry to the log."""
        entry = NewEntry(
            "changes",
            cause,
            "1",
            "VIP",
            "s",
            int(self.now_s * 1000),
            entered=list(entered.items()),
            updated=list((updated or {}).items()),
            exited=list(exited),
        )
        project_id = self.project.id
        names = [keys.log(project_id), keys.log_meta(project_id), keys.lane(project_id, "identity")]
        self._append(keys=names, args=["g1", *entry.encoded()])

    def take(self, name: str) -> HeldLane:
        """Take a lane at once, whatever it waits for."""
        lane = keys.lane(self.project.id, name)
        wake = self.redis.hincrby(lane, "wake", 1)
        self.redis.hset(lane, mapping={"state": "queued", "inflight": 0})
        held = self.lanes.start(self.project.id, name, wake)
        assert held is not None
        return held

    def run(self, *names: str) -> Outcome:
        """Run lanes once each, as workers do; both, unless some are named."""
        outcome = Outcome.drained()
        for name in names or LANES:
            held = self.take(name)
            outcome = self.runners[name].run(held, self.project, time.monotonic() + 60.0)
            self.lanes.finish(held, outcome)
        return outcome

    def run_until_drained(self, tries: int = 60) -> None:
        """Run both lanes again and again, whatever breaks, until nothing is left."""
        for _ in range(tries):
            with suppress(RedisConnectionError):
                self.build()
                outcomes = {self.run(name).kind for name in LANES}
                if outcomes == {"drained"}:
                    return
        raise AssertionError("it never comes to an end")

    def cluster(self, node: str) -> set[str]:
        return set(self.ledger.clusters(self.project.id, [node]).ids(node))

    def recorded(self) -> int:
        """Count the links in the ledger."""
        return int(self.redis.hget(keys.identity_meta(self.project.id), "links") or 0)

    def letters(self) -> list[tuple[str, str, Link]]:
        """The dead letters: code, reason up to its colon, link."""
        return [
            (stored.letter.code, stored.letter.reason.split(":")[0], Link.from_json(stored.letter.record))
            for stored in self.dead_letters.read(self.project.id, limit=10_000)
        ]


def serve(switch: Switch) -> Callable[[], None]:
    """Serve a switch; returns what ends it."""
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415 - only these tests serve

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Say nothing."""

    server = make_server("127.0.0.1", 0, switch, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    switch.url = f"http://127.0.0.1:{server.server_port}"

    def end() -> None:
        server.shutdown()
        thread.join()
        server.server_close()

    return end
