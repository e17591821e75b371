"""What one tick of the clock costs: `python -m tests.bench.clock --projects 100`.

Prints the milliseconds of a tick over idle projects, those of the clock's own processor time and of Redis's,
and the number of commands and network reads that Redis counts.
"""

import argparse
import json
import resource
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from redis import Redis

from app.services import build_services
from config.settings import load_settings
from tests.redis_server import RedisServer
from workers.clock import Clock

PROJECT = """
  - id: '{id}'
    region: us
    token: ${{TOKEN}}
    webhook_credentials: [{{username: u, password: "${{PASSWORD}}"}}]
    rules: [{{enter: {{event: {{name: Entered}}}}}}]
"""


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--projects", type=int, default=100)
    parser.add_argument("--ticks", type=int, default=100)
    options = parser.parse_args()
    with TemporaryDirectory() as directory, RedisServer(Path(directory) / "redis") as server:
        print(json.dumps(_measure(Path(directory), server, options.projects, options.ticks)))


def _measure(directory: Path, server: RedisServer, projects: int, ticks: int) -> dict[str, float]:
    written = "".join(PROJECT.format(id=1_000_000 + each) for each in range(projects))
    (directory / "projects.yaml").write_text(f"projects:{written}")
    secrets = {"SECRET_KEY": "k" * 32, "TOKEN": "a" * 32, "PASSWORD": "a-long-password"}
    environ = {"REDIS_URL": server.url, "PROJECTS_FILE": "projects.yaml", **secrets}
    clock = Clock(build_services(load_settings(environ, directory)), "clock@bench")
    clock.tick()
    with server.client() as plain:
        before, began_s, own_s = _server(plain), time.perf_counter(), _processor_s()
        for _ in range(ticks):
            clock.tick()
        took_s, own_s, after = time.perf_counter() - began_s, _processor_s() - own_s, _server(plain)
    spent = {name: (after[name] - before[name]) / ticks for name in before}
    return {
        "projects": projects,
        "tick_ms": round(1000 * took_s / ticks, 2),
        "clock_cpu_ms": round(1000 * own_s / ticks, 2),
        "redis_cpu_ms": round(1000 * spent["cpu_s"], 2),
        "commands": round(spent["commands"], 1),
        "reads": round(spent["reads"], 1),
    }


def _server(plain: Redis) -> dict[str, float]:
    info: Any = plain.info()
    return {
        "cpu_s": info["used_cpu_user"] + info["used_cpu_sys"],
        "commands": info["total_commands_processed"],
        "reads": info["total_reads_processed"],
    }


def _processor_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
