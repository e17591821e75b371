"""Keep who is in which cohort in a database of your own, from the relay's change log in Redis.

Killed at any point and started again, it goes on where it was: see docs/streams.md. Needs the package redis.
"""

import json
import os
import sqlite3
from hashlib import sha256

import redis

LOG = f"cr:{{{os.environ['PROJECT_ID']}}}:log"
GROUP, CONSUMER = os.environ.get("GROUP", "example"), os.environ.get("CONSUMER", "one")
store = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True, socket_timeout=30)
db = sqlite3.connect(os.environ.get("DATABASE", "members.db"))
db.execute("CREATE TABLE IF NOT EXISTS members (cohort TEXT, id TEXT, PRIMARY KEY (cohort, id))")
db.execute("CREATE TABLE IF NOT EXISTS place (generation TEXT, sequence INTEGER)")


def take(sequence: int, entry: dict[str, str]) -> None:
    """Take in one entry, once, and note in the same transaction that it was."""
    place = (entry["generation"], sequence)
    last = db.execute("SELECT generation, sequence FROM place").fetchone() or (place[0], sequence - 1)
    if last[0] == place[0] and sequence <= last[1]:
        return  # had already: we died before we confirmed it
    if place != (last[0], last[1] + 1):
        print(f"gap between {last} and {place}: begin anew with a snapshot", flush=True)
    with db:
        data = json.loads(entry["data"]) if entry["kind"] == "changes" else {}
        for member in data.get("entered", []):
            distinct_id = member if isinstance(member, str) else member[0]  # or with its properties
            db.execute("INSERT OR IGNORE INTO members VALUES (?, ?)", (entry["cohort_id"], distinct_id))
        for distinct_id in data.get("exited", []):
            db.execute("DELETE FROM members WHERE cohort = ? AND id = ?", (entry["cohort_id"], distinct_id))
        if entry["kind"] == "person.erased":
            forget(**json.loads(entry["data"])["detail"])
        db.execute("DELETE FROM place")
        db.execute("INSERT INTO place VALUES (?, ?)", place)


def forget(salt: str, digests: list[str], **_: object) -> None:
    """Take whoever was erased out of every cohort: named by digests, which say nothing to others."""
    for (distinct_id,) in db.execute("SELECT DISTINCT id FROM members").fetchall():
        if sha256(bytes.fromhex(salt) + distinct_id.encode()).hexdigest() in digests:
            db.execute("DELETE FROM members WHERE id = ?", (distinct_id,))


whence = "0"  # what we were given before and did not confirm comes first, and only then what is new
while True:
    answer = store.xreadgroup(GROUP, CONSUMER, {LOG: whence}, count=100, block=5_000)
    entries = answer[0][1] if answer else []
    if whence == "0" and not entries:
        whence = ">"
    for entry_id, entry in entries:
        if entry:  # nothing: it went from the log before we confirmed it; the next one shows the gap
            take(int(entry_id.split("-")[0]), entry)
        store.xack(LOG, GROUP, entry_id)
