"""Send links wave by wave: preflight, requests, ledger, and only then the next wave."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from app.destinations.batch import Batch
from app.destinations.cursor import Cursor
from app.destinations.dead_letters import DeadLetter
from app.destinations.identity.ledger import Ledger, edge_of
from app.destinations.identity.links import Link
from app.destinations.identity.pending import PendingLinks
from app.destinations.identity.preflight import Refusal, System, preflight
from app.destinations.identity.records import record
from app.destinations.plan import Plan, Round
from app.destinations.sending import RoundSender, always
from app.lanes.lanes import HeldLane
from app.mixpanel.batches import BatchSender
from app.mixpanel.errors import MixpanelError
from app.mixpanel.results import Delivered, Progress, RecordFailure
from config.projects import Project


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A link whose turn it is: its place in the outbox, as it was submitted, and decoded."""

    place: str
    submitted: bytes
    link: Link

    @property
    def mark(self) -> str:
        """What says that it was refused, while its window is open."""
        return "x" + self.place


_UNKNOWN: Final = System("simplified", service_account=False)


@dataclass(frozen=True, slots=True)
class _LinkBatch(Batch):
    """Records of one request, all of one verb, with the links that they make."""

    links: Sequence[_Waiting] = ()
    system: System = _UNKNOWN


class LinkSender(RoundSender):
    """Send waves of links within a project's number of connections.

    A link may be sent again after a crash or a time-out: its `$insert_id` and its time are the same, and so
    Mixpanel takes it for the same. Once the ledger has it, or its refusal is noted, it is not sent any more.

    Args:
        batches: delivers one batch to `/import`.
        cursor: where refusals are noted.
        ledger: where links are.
        pending: who waits.
        connections: most requests at a time.
        timeout_s: the longest that a request takes.
    """

    def __init__(
        self,
        batches: BatchSender,
        cursor: Cursor,
        ledger: Ledger,
        pending: PendingLinks,
        *,
        connections: int,
        timeout_s: float,
    ) -> None:
        super().__init__(batches, cursor, connections=connections, timeout_s=timeout_s)
        self._ledger = ledger
        self._pending = pending

    def send(
        self,
        lane: HeldLane,
        project: Project,
        plan: Plan,
        *,
        again: bool,
        go_on: Callable[[], bool] = always,
    ) -> bool:
        """Send the waves of a window; see `RoundSender.send`."""
        waves = [_links(round_) for round_ in plan.rounds]
        last = {node: number for number, wave in enumerate(waves) for one in wave for node in one.link.nodes}
        window = self._cursor.position(project.id).window
        end = window.end if window else 0  # its plan leaves out what it has twice, so it does not say
        in_time = True
        for number, wave in enumerate(waves):
            if not in_time:
                return False
            if self._send_wave(lane, project, wave, again=again):
                in_time = go_on()
            done = {node for one in wave for node in one.link.nodes if last[node] == number}
            self._pending.release(lane, done, end)
            lane.keep()
        return True

    def _send_wave(self, lane: HeldLane, project: Project, wave: Sequence[_Waiting], *, again: bool) -> bool:
        """Send a wave; return whether anything of it was left to do."""
        if again:
            refused = self._cursor.settled(lane, [one.mark for one in wave])
            wave = [one for one, known in zip(wave, refused, strict=True) if not known]
        clusters = self._ledger.clusters(project.id, (node for one in wave for node in one.link.nodes))
        system = System.of(project)
        letters: list[tuple[str, DeadLetter | None]] = []
        sent: list[_Waiting] = []
        for one in wave:
            lane.keep()
            verdict = preflight(one.link, system, clusters)
            if verdict.refusal:
                letters.append((one.mark, _letter(one, verdict.refusal)))
            elif verdict.kind == "send":
                clusters.join(edge_of(one.link)[0])
                sent.append(one)
        self._cursor.settle_each(lane, letters)
        refused_now = {mark for mark, _ in letters}
        self._ledger.refusals.remember(lane, system, (one.link for one in wave if one.mark in refused_now))
        self._send_round(lane, project, list(self._batches_of_links(project, sent)))
        return bool(sent or letters)

    def _batches_of_links(self, project: Project, links: Sequence[_Waiting]) -> Iterator[_LinkBatch]:
        """Cut links into batches of one verb each: one verb may make Mixpanel refuse another."""
        for _, some in groupby(sorted(links, key=lambda one: one.link.verb), key=lambda one: one.link.verb):
            same = list(some)
            records = [record(one.link, project) for one in same]
            for part in self._batches.split(project.id, records):
                at = slice(part.start, part.stop)
                yield _LinkBatch(records[at], links=same[at], system=System.of(project))

    def _note(self, lane: HeldLane, batch: Batch, future: Future[Delivered]) -> list[MixpanelError]:
        """Note what became of a batch, also of one that broke off: refusals first, then the ledger."""
        assert isinstance(batch, _LinkBatch)
        errors: list[MixpanelError] = []
        accepted: Iterable[int] = range(len(batch.links))
        try:
            refused = future.result().refused
        except MixpanelError as error:
            progress = error.progress or Progress()
            refused, accepted = progress.refused, sorted(progress.accepted)
            errors.append(error)
        failures = {failure.index: failure for failure in refused}
        self._cursor.settle_each(
            lane, [(batch.links[at].mark, _refused(batch.links[at], why)) for at, why in failures.items()]
        )
        self._ledger.refusals.remember(lane, batch.system, (batch.links[at].link for at in failures))
        self._ledger.record(lane, [batch.links[at].link for at in accepted if at not in failures])
        return errors


def _links(round_: Round) -> list[_Waiting]:
    return [_Waiting(place, submitted, Link.from_json(submitted)) for place, submitted in round_.once]


def _letter(one: _Waiting, refusal: Refusal) -> DeadLetter:
    return DeadLetter("link_refused", f"{refusal.code}: {refusal.reason}", "", one.submitted)


def _refused(one: _Waiting, failure: RecordFailure) -> DeadLetter:
    return DeadLetter("refused", failure.reason, failure.response, one.submitted)
