"""What an operator does with redis-cli and redis-server, and a relay whose processes are the test itself."""

import subprocess
import time
from pathlib import Path
from typing import Any, cast

from redis import Redis

from app.store import keys
from tests.integration.cli.relay import SHOP, Relay, environment
from tests.redis_server import RedisServer, find_binary
from tests.waiting import wait_until


def redis_cli(server: RedisServer, *words: str) -> str:
    """Run redis-cli; the one that lies beside the server's program."""
    program = Path(find_binary()).with_name("redis-cli")
    done = subprocess.run(
        [program, "-u", server.url, *words], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout


def persisted(redis: Redis) -> bool:
    """Say whether the append-only file is written, whole, and nothing of it is under way."""
    info: dict[str, Any] = redis.info("persistence")
    return (
        info["aof_enabled"] == 1
        and not info["aof_rewrite_in_progress"]
        and not info["aof_rewrite_scheduled"]
        and info["aof_last_bgrewrite_status"] == "ok"
    )


def restore(directory: Path, backup: Path) -> RedisServer:
    """Do what docs/installation.md says: load the backup without an append-only file, then begin one."""
    directory.mkdir()
    (directory / "dump.rdb").write_bytes(backup.read_bytes())
    with RedisServer(directory) as loading, loading.client() as redis:
        redis.config_set("appendonly", "yes")
        wait_until(lambda: persisted(redis))
        loading.stop()
    return RedisServer(directory, appendonly=True)


def relay_at(server: RedisServer) -> Relay:
    """Return a relay over a server."""
    return Relay(environment(server.url))


def work(relay: Relay, *members: str, session: str, action: str = "add_members") -> None:
    """Take a page in and apply it."""
    relay.accept(action, *members, session=session)
    relay.run_lane("apply")


def members(relay: Relay) -> set[str]:
    """Return who is in the cohort."""
    return set(relay.services.membership.members(SHOP, "7"))


def generation(relay: Relay) -> bytes | None:
    """Return the generation of the log."""
    return cast("bytes | None", relay.services.redis.hget(keys.log_meta(SHOP), "generation"))


def caught_up(source: Redis, copy: Redis) -> bool:
    """Say whether a replica has all that its primary has."""
    primary, replica = source.info("replication"), copy.info("replication")
    there: bool = replica.get("master_link_status") == "up"
    return there and replica["slave_repl_offset"] == primary["master_repl_offset"]


def pause() -> None:
    """Let a thread get on."""
    time.sleep(0.02)
