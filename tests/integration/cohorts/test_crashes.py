"""A worker may die, and an answer get lost, at any command: it ends as if nothing had been.

Each story is run once undisturbed, and then once for every command that it sends, with the connection broken
just before that command, or just after it.
"""

from collections.abc import Callable
from contextlib import suppress

import pytest
from redis.exceptions import RedisError

from tests.depth import DEPTH
from tests.integration.cohorts.faulty import FaultyRedis, Line
from tests.integration.cohorts.invariants import check, check_drained, plain, stored
from tests.integration.cohorts.relay import BEGIN_S, Relay
from tests.integration.cohorts.scale import scaled_down
from tests.model.notation import parse
from tests.model.story import SYNC_EVERY_S
from tests.redis_server import RedisServer

FIRST_SYNC = "M0[1/2]{a,b,c,d,e,f,g} M0[2/2]{h,i}"
SETTLED = "M0{a,b,c} | +1{d} -1{a} | +2{e} -2{} | +3{} -3{b} | +4{f} -4{} | +5{g} -5{}"
STORIES = {
    "a first sync of several chunks, with splits": FIRST_SYNC,
    "a full list after it": "M0{a,b,c,d,e,f} | M1[1/2]{a,b,x} M1[2/2]{y}",
    "a diff that takes a failed one back": "M0{a,b,c} | +1[1/2]{d,e,f} | +2[1/2]{g,h,i} +2[2/2]{j} -2{c}",
    "a restart under the same id": "M0{} | +1[1/2]{a,b,c} +1[2/2]{d} | +1[1/2]{a,b,c} +1[2/2]{e} -1{}",
    "two exports at once that name the same people": "M0{} | +1{a,b,c} +2{a,c,d} -1{} -2{}",
    "tombstones that are forgotten": SETTLED,
    "the same page again, as a new round": "M0[1/2]{a,b,c} M0[2/2]{d} M0[1/2]{a,b,c} M0[2/2]{d}",
    "a half that is complete by quiet time": "M0{a,b} | +1{c,d,e}",
}


@pytest.mark.parametrize("name", STORIES)
def test_a_connection_that_breaks_at_any_command_changes_nothing_in_the_end(
    redis_server: RedisServer, name: str
) -> None:
    def story(relay: Relay) -> None:
        for page in parse(STORIES[name]):
            relay.clock.now_s = BEGIN_S + page.at
            again(relay, lambda page=page: relay.accept(page))  # type: ignore[misc]  # the loop's page
            again(relay, relay.drain)
        relay.clock.now_s += SYNC_EVERY_S
        again(relay, relay.drain)

    disturb(redis_server, name, story)


def test_a_rename_goes_on_where_it_stopped(redis_server: RedisServer) -> None:
    first, second = parse("M0{a,b,c,d} | +1{e} -1{a}")[0], parse("M0{a,b,c,d} | +1{e} -1{a}")[1:]

    def story(relay: Relay) -> None:
        relay.clock.now_s = BEGIN_S
        again(relay, lambda: relay.accept(first))
        again(relay, relay.drain)
        for page in second:
            relay.clock.now_s = BEGIN_S + page.at
            again(relay, lambda page=page: relay.accept(page, name="Gold"))  # type: ignore[misc]  # the loop's page
        again(relay, relay.drain)

    disturb(redis_server, "rename", story)


def again(relay: Relay, do: Callable[[], object]) -> None:
    """Do something as its caller does: Mixpanel sends a page again, the sweeper finds a lane again."""
    with suppress(RedisError):
        do()
        return
    do()


def disturb(server: RedisServer, name: str, story: Callable[[Relay], None]) -> None:
    """Tell a story with the line broken at each command in turn, and compare how it ends."""
    with scaled_down(chunk=2, load=2, list_limit=100_000):
        undisturbed = Line()
        expected = told(server, story, undisturbed)
        # Every eleventh command in a usual run, beginning elsewhere in each story; every one in a deep run.
        stride = 1 if DEPTH > 1 else 11
        for place in range(len(name) % stride, undisturbed.sent, stride):
            for answer_lost in (False, True):
                line = Line(place, answer_lost=answer_lost)
                ended = told(server, story, line)
                assert ended == expected, f"broken at {place} of {undisturbed.sent}, {answer_lost=}"


def told(server: RedisServer, story: Callable[[Relay], None], line: Line) -> object:
    """Tell a story over this line; return what it came to."""
    server.flush()
    relay = Relay(server, FaultyRedis)
    try:
        assert isinstance(relay.redis, FaultyRedis)
        relay.redis.line = line
        story(relay)
        check(relay)
        check_drained(relay.plain)
        return ending(relay)
    finally:
        relay.close()


def ending(relay: Relay) -> object:
    """Return what a story came to: members, what is remembered of them, and what the log says of syncs."""
    record, entries = stored(relay.plain, "c")
    lifecycle = [(entry.kind, entry.session_id) for entry in relay.log() if entry.kind != "changes"]
    return entries, record.name, record.entries, plain(record.machine), lifecycle
