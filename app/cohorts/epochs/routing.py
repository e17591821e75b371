"""Say which attempt a page belongs to, or that it says nothing new."""

from collections.abc import Mapping

from app.cohorts.epochs.attempt import DONE, FAILED, OPEN, Attempt, Call, Round
from app.cohorts.epochs.completion import complete
from app.cohorts.epochs.machine import Machine
from app.cohorts.epochs.trust import Trust
from app.cohorts.epochs.words import MEMBERS, OTHER, Page, Sighting

JOIN_WITHIN_MS = 10 * 60_000
QUIET_MS = 2 * 60_000
OPEN_AT_MOST = 2

Seen = Mapping[tuple[str, str, int], Sighting]
"""What is remembered of (session, action, number); the page's own and its `twins` must be looked up."""


def twins(machine: Machine, page: Page) -> list[tuple[str, str, int]]:
    """Return the keys whose sightings `admit` wants: the page itself, and its number in the other call."""
    wanted = [(page.session, page.action, page.number)]
    if page.action in OTHER:
        attempt = machine.of_session(page.session) or machine.newest
        sessions = {page.session, *(attempt.sessions if attempt else ())}
        wanted += [(session, OTHER[page.action], page.number) for session in sorted(sessions)]
    return wanted


def due_at(machine: Machine, trust: Trust) -> int | None:
    """Return when (ms) an attempt completes without another page: a half that is no proven failure."""
    halves = [each for each in machine.open_attempts() if each.half() and trust.of(each.half()) <= 0]
    return min((each.newest_ms + QUIET_MS for each in halves), default=None)


def expire(machine: Machine, trust: Trust, at: int) -> None:
    """Complete the halves that have been quiet for long enough at the time `at` (ms)."""
    for attempt in machine.open_attempts():
        half = attempt.half()
        if half and trust.of(half) <= 0 and attempt.newest_ms + QUIET_MS <= at:
            complete(machine, trust, attempt, attempt.newest_ms + QUIET_MS)


def begins(machine: Machine, trust: Trust, page: Page, known: bool) -> bool:
    """Say whether the page will begin an attempt of its own."""
    return not known and machine.of_session(page.session) is None and not _joins(machine, trust, page)


def yield_halves(machine: Machine, trust: Trust, at: int) -> None:
    """Complete what is only half, and not proven a failure, because the next attempt begins."""
    for attempt in machine.open_attempts():
        half = attempt.half()
        if half and trust.of(half) <= 0 and attempt.state == OPEN:
            complete(machine, trust, attempt, at)


def admit(machine: Machine, trust: Trust, page: Page, seen: Seen, known: bool) -> Attempt | None:
    """Take a page in: return the attempt to apply it under, or None if it says nothing new.

    The machine must have no tasks left (`expire` and `yield_halves` come first). Applying the page is then
    naming each of its people under the attempt's current round, and `arrived`.

    Args:
        machine: the cohort; changed.
        trust: of its project; changed.
        page: what came.
        seen: sightings of the keys that `twins` names.
        known: whether the page's session was seen before, however long ago.
    """
    attempt = machine.of_session(page.session)
    if attempt is None:
        if known:
            return None
        attempt = _join(machine, trust, page) or _begin(machine, page)
    is_newest = attempt is machine.newest
    if attempt.state != OPEN and not is_newest:
        return None
    if is_newest and page.at - attempt.heard_ms >= JOIN_WITHIN_MS:
        # Nobody sends one export with such pauses: the id is used again.
        attempt = _restart(machine, attempt, page, keep=False)
    own = {key for key, sighting in seen.items() if attempt.gave(sighting.epoch)}
    key = (page.session, page.action, page.number)
    again = False
    if key in own and seen[key].digest == page.digest:
        if not is_newest:
            return None
        again = True
        if seen[key].epoch == attempt.round.epoch or attempt.place(page.action, page.number) < attempt.top:
            _begin_round(machine, attempt)
    elif key in own or _other_total(attempt, page) or not _like(attempt, page):
        attempt = _restart(machine, attempt, page, keep=key in own and _goes_on(attempt, page, seen[key]))
    _count(attempt, trust, page, own, again=again)
    return attempt


def arrived(machine: Machine, trust: Trust, attempt: Attempt, page: Page) -> None:
    """Close a page: every one of its people is named; complete the attempt if this was the last of it."""
    if attempt.state == OPEN and attempt.complete(trust):
        complete(machine, trust, attempt, page.at)


def _other_total(attempt: Attempt, page: Page) -> bool:
    call = attempt.calls.get(page.action)
    return call is not None and call.total != max(page.total, 1)


def _like(attempt: Attempt, page: Page) -> bool:
    """Say whether the page is of a full list like the attempt's other pages, or of a diff like them."""
    return not attempt.calls or attempt.full is (page.action == MEMBERS)


def _goes_on(attempt: Attempt, page: Page, sighting: Sighting) -> bool:
    """Say whether a page with new content goes on with a pass that the current round has begun."""
    later = attempt.place(page.action, page.number) > attempt.top
    return sighting.epoch != attempt.round.epoch and later


def _joins(machine: Machine, trust: Trust, page: Page) -> bool:
    newest = machine.newest
    if newest is None or page.action == MEMBERS or trust.one_id:
        return False
    return (
        newest.state in {OPEN, DONE}
        and list(newest.calls) == [OTHER[page.action]]
        and page.at - newest.newest_ms < JOIN_WITHIN_MS
    )


def _join(machine: Machine, trust: Trust, page: Page) -> Attempt | None:
    if not _joins(machine, trust, page):
        return None
    attempt = machine.newest
    assert attempt is not None
    attempt.sessions.append(page.session)
    return attempt


def _begin(machine: Machine, page: Page) -> Attempt:
    unfinished = machine.open_attempts()
    for oldest in unfinished[: len(unfinished) - OPEN_AT_MOST + 1]:
        oldest.state = FAILED
        machine.closed.append(oldest.number)
    machine.let_stand()
    if not machine.attempts and machine.epoch == 0 and page.action != MEMBERS:
        machine.partial = "assumed"
    epoch = machine.next_epoch()
    attempt = Attempt(
        number=epoch,
        rounds=[Round(epoch)],
        began=machine.next_step(),
        began_ms=page.at,
        newest_ms=page.at,
        heard_ms=page.at,
        elder=next((each.number for each in reversed(unfinished) if each.state == OPEN), 0),
        sessions=[page.session],
    )
    machine.attempts.append(attempt)
    machine.began.append(epoch)
    return attempt


def _begin_round(machine: Machine, attempt: Attempt) -> None:
    attempt.fold_empty()
    attempt.rounds.append(Round(machine.next_epoch()))
    for call in attempt.calls.values():
        call.round_pages = 0


def _restart(machine: Machine, attempt: Attempt, page: Page, *, keep: bool) -> Attempt:
    """Split an attempt whose session began anew with other content.

    What came before is a failed attempt of kind `restart` (unless it was done). The new attempt keeps the
    current round's pages if that round is already part of the new pass.
    """
    fresh = _begin(machine, page)
    fresh.sessions = attempt.sessions
    attempt.sessions = []
    # Full lists and diffs under one id are no restart of each other, if the first was done.
    attempt.restarted = attempt.state != DONE or _like(attempt, page)
    if attempt.state == OPEN:
        attempt.state = FAILED
        machine.closed.append(attempt.number)
    if keep and len(attempt.rounds) > 1:
        kept = attempt.rounds.pop()
        attempt.fell += kept.repeats
        fresh.rounds = [kept, fresh.round]
        fresh.number = machine.began[-1] = kept.epoch
        fresh.calls = {
            action: Call(call.total, call.round_pages, call.round_pages, call.people)
            for action, call in attempt.calls.items()
            if call.round_pages and not (action == page.action and _other_total(attempt, page))
        }
        fresh.top = attempt.top
        # Those whom the kept round named are on the earlier attempt's list, so this one does without a list.
        fresh.unlisted = True
    return fresh


def _count(
    attempt: Attempt, trust: Trust, page: Page, own: set[tuple[str, str, int]], *, again: bool
) -> None:
    first = not any(call.round_pages for call in attempt.calls.values())
    call = attempt.calls.setdefault(page.action, Call(total=max(page.total, 1)))
    call.round_pages += 1
    attempt.heard_ms = page.at
    if first:
        attempt.top = attempt.place(page.action, page.number)
    if again:
        return
    call.pages += 1
    call.people += page.people
    attempt.newest_ms = page.at
    if attempt.state == DONE and not attempt.full:
        attempt.state = OPEN
    if page.action not in OTHER:
        return
    other = OTHER[page.action]
    if other in attempt.calls:
        twin = [s for s in attempt.sessions if (s, other, page.number) in own]
        attempt.overlap = attempt.overlap or bool(twin)
        trust.per_call = trust.per_call or attempt.overlap
        if len(attempt.sessions) == 1:
            trust.one_id = True
