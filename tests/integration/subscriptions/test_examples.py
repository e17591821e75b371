"""The receiver that the documentation shows keeps an exact copy."""

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from ipaddress import ip_network
from pathlib import Path

from app.feed.position import Position
from app.subscriptions.addresses import AddressPolicy
from app.subscriptions.posting import Poster
from tests.guard import ROOT
from tests.integration.feed.written_log import P, erased
from tests.integration.subscriptions.entries import entry_of
from tests.integration.subscriptions.world import World
from tests.ports import free_port
from tests.waiting import wait_until

RECEIVER = ROOT / "docs" / "examples" / "webhook_receiver.py"


def answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def test_the_receiver_in_the_documentation_keeps_who_is_in_which_cohort(world: World, tmp_path: Path) -> None:
    port = free_port()
    wanted = world.subscribe(Position("", 0), url=f"http://127.0.0.1:{port}/", batch=2)
    secret = wanted.signing[0].secret.reveal()
    own = {"WEBHOOK_SECRET": secret, "RECEIVER_PORT": str(port), "COPY_DB": str(tmp_path / "copy.db")}
    poster = Poster(AddressPolicy([ip_network("127.0.0.1/32")]))
    world.sending._poster = poster
    with subprocess.Popen(
        [sys.executable, RECEIVER], env={**os.environ, **own}, stderr=subprocess.DEVNULL
    ) as receiver:
        try:
            wait_until(lambda: answers(port), 20, "the receiver answers")
            world.log.write([entry_of(1, entered=["a", "b", "c"]), entry_of(2, entered=["d"], exited=["b"])])
            world.turn()
            world.subscriptions.move(wanted, P, Position("", 0))  # all of it once more
            world.turn()
            world.log.changelog.append(P, "person.erased", erased("c"))
            world.turn()
        finally:
            receiver.kill()
            poster.close()
    assert world.standing(wanted).position.sequence == 3
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        found = copy.execute("SELECT cohort, id FROM members ORDER BY id").fetchall()
    assert found == [("cohorts/1", each) for each in ("a", "d")]
