"""The embedded Redis: a server process of this run's own, which keeps every write on disk."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.local import redis_binary
from app.local.child import Command
from app.local.credentials import write_private

STOP_PHASE = 9  # after everything that writes to it
_ANSWER_S = 0.5


@dataclass(frozen=True)
class EmbeddedRedis:
    """Where it runs and over which data.

    Args:
        directory: its data; made when missing.
        port: loopback port.
        password: keeps out other programs and users of this machine.
    """

    directory: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        """The URL for its clients, password included."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def prepare(self, environ: Mapping[str, str]) -> Command:
        """Choose a server for the data, write its configuration, and return the command to start it.

        Raises:
            LocalError: there is no server that understands the data.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        server = redis_binary.choose(self.directory, redis_binary.installed())
        redis_binary.record(self.directory, server)
        configuration = self.directory / "redis.conf"
        write_private(configuration, self._configuration())
        return Command(
            name="redis",
            arguments=(server.path, str(configuration)),
            environ=environ,
            stop_phase=STOP_PHASE,
            grace_s=30.0,
        )

    def ready(self) -> bool:
        """Say whether it answers and has loaded its data."""
        client = redis.Redis.from_url(
            self.url, socket_timeout=_ANSWER_S, socket_connect_timeout=_ANSWER_S, retry=Retry(NoBackoff(), 0)
        )
        with client:
            try:
                return bool(client.ping())
            except redis.RedisError:  # not listening yet, or loading
                return False

    def _configuration(self) -> str:
        directory = str(self.directory).replace("\\", "\\\\").replace('"', '\\"')
        return "\n".join(
            (
                f"# Written by cohort-relay at each start ({time.strftime('%Y-%m-%d %H:%M')}).",
                "bind 127.0.0.1",
                f"port {self.port}",
                f"requirepass {self.password}",
                f'dir "{directory}"',
                "daemonize no",
                "tcp-backlog 128",
                'save ""',
                "appendonly yes",
                "appendfsync always",
                "no-appendfsync-on-rewrite no",
                "maxmemory-policy noeviction",
                "",
            )
        )
