"""`python -m app.local.restore FILE`: take a backup into the embedded Redis, in place of what it holds.

What it held is moved aside, not removed. What has to be done after an older backup (docs/installation.md) is
done here, too: a new generation of the log, cohorts in doubt.
"""

import argparse
import os
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

from redis import RedisError

from app.installation.restored import Restoring
from app.installation.stored import stored_projects
from app.local import credentials, ports
from app.local.console import Console, colour_wanted
from app.local.errors import LocalError, StopRequestedError
from app.local.lock import RunLock
from app.local.plan import make_plan, read_environ
from app.local.redis_server import EmbeddedRedis
from app.local.saving import begin_file, loading, place
from app.local.supervisor import ChildEndedError, Supervisor
from app.store.connection import connect

_ROOT = Path(__file__).resolve().parents[2]
_LOADING_S: Final = 24 * 3600.0


class Restore:
    """Restores one backup.

    Args:
        environ: what is set, by the environment or `.env`.
        var: the data directory of `make run`.
        console: where to report.
    """

    def __init__(self, environ: Mapping[str, str], var: Path, console: Console) -> None:
        self._environ = environ
        self._var = var
        self._console = console

    def run(self, backup: Path) -> None:
        """Restore it.

        Raises:
            LocalError: it cannot be done; what there was is as it was.
        """
        self._var.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._var / "log").mkdir(exist_ok=True)
        lock = RunLock(self._var / "lock")
        try:
            lock.acquire()
            made_up = credentials.load_or_create(self._var / "demo.env")
            plan = make_plan(self._environ, made_up, _ROOT)
            if not plan.own_redis:
                raise LocalError("REDIS_URL is set: restore that Redis (docs/installation.md).")
            data = self._var / ("redis-demo" if plan.demo else "redis")
            fresh = data.with_name(f"{data.name}.restoring")
            shutil.rmtree(fresh, ignore_errors=True)  # left behind by one that was broken off
            place(backup, fresh)
            self._load(
                EmbeddedRedis(fresh, ports.free_redis_port(), made_up["EMBEDDED_REDIS_PASSWORD"]), lock
            )
            self._exchange(data, fresh)
        finally:
            lock.release()

    def _load(self, embedded: EmbeddedRedis, lock: RunLock) -> None:
        held = (lock.descriptor,)
        with Supervisor(_ROOT, self._var / "log", self._console.log, held=held) as supervisor:
            supervisor.start(loading(embedded.prepare(self._environ)))
            try:
                supervisor.wait_until(embedded.ready, _LOADING_S)
                with closing(connect(embedded.url)) as redis:
                    begin_file(redis, embedded.directory, supervisor.wait_until)
                    for project_id in sorted(stored_projects(redis)):
                        done = Restoring(redis).run(project_id)
                        cohorts = (
                            f"{len(done.cohorts)} cohort{'' if len(done.cohorts) == 1 else 's'} in doubt"
                        )
                        self._console.say(f"Project {project_id}: {cohorts}, log {done.generation}.")
            except ChildEndedError as ended:
                tail = "\n".join(ended.child.log.tail(5))
                raise LocalError(f"Redis cannot read the backup. The end of its log:\n{tail}") from ended
            except RedisError as err:
                raise LocalError(f"Redis did not do what was asked ({type(err).__name__}).") from err
            except StopRequestedError as err:
                raise LocalError("Broken off; nothing was changed.") from err
            finally:
                supervisor.stop_all()

    def _exchange(self, data: Path, fresh: Path) -> None:
        if data.exists():
            aside = data.with_name(f"{data.name}.before-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}")
            data.rename(aside)
            self._console.say(f"What there was is in {aside}; remove it once all is well.")
        fresh.rename(data)
        self._console.say(f"Restored into {data}. Start with `make run`, then see docs/installation.md.")


def main() -> int:
    """Restore; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m app.local.restore", description="Restore a backup for `make run`."
    )
    parser.add_argument("backup", type=Path, metavar="FILE", help="an RDB file")
    parser.add_argument("--var", type=Path, default=_ROOT / "var", help="data and logs (default: var/)")
    parser.add_argument("--env-file", type=Path, default=_ROOT / ".env", help="settings (default: .env)")
    options = parser.parse_args()
    environ = read_environ(os.environ, options.env_file)
    console = Console(sys.stdout, colour=colour_wanted(sys.stdout, environ))
    try:
        Restore(environ, options.var.resolve(), console).run(options.backup)
    except LocalError as err:
        console.complain(str(err))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
