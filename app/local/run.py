"""A run: check, start in order, watch, end in order."""

import http.client
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from app.local import credentials, ports
from app.local.banner import banner
from app.local.child import Child, Command
from app.local.console import Console
from app.local.errors import LocalError, StopRequestedError
from app.local.first_token import first_token
from app.local.lines import brief
from app.local.lock import RunLock
from app.local.plan import Plan, make_plan
from app.local.processes import procfile_commands, sandbox_command
from app.local.reach import require_redis
from app.local.redis_server import EmbeddedRedis
from app.local.supervisor import ChildEndedError, Supervisor
from app.local.upgrade import upgrade_state
from config.settings import Settings, SettingsError, load_settings

_ROOT = Path(__file__).resolve().parents[2]
_START_S = 60.0
_LOADING_S = 24 * 3600.0  # a large append-only file takes its time; Ctrl-C works meanwhile
_TAIL_LINES = 15


class Run:
    """One run of the whole product over one data directory.

    Args:
        environ: what is set, by the environment or `.env`.
        var: the data directory; made when missing.
        console: where to report.
    """

    def __init__(self, environ: Mapping[str, str], var: Path, console: Console) -> None:
        self._given = environ
        self._var = var
        self._console = console

    def run(self) -> int:
        """Run until asked to stop.

        Returns:
            0 after an orderly end on request, 130 if that took a second request, 1 after a process ended.

        Raises:
            LocalError: it cannot start.
        """
        # Redis' files hold the members' properties: nobody else on the machine needs to see them.
        self._var.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._var / "log").mkdir(exist_ok=True)
        lock = RunLock(self._var / "lock")
        lock.acquire()
        try:
            made_up = credentials.load_or_create(self._var / "demo.env")
            plan = make_plan(self._given, made_up, _ROOT)
            self._check_ports(plan)
            return self._supervise(plan, made_up, lock)
        finally:
            lock.release()

    def _supervise(self, plan: Plan, made_up: Mapping[str, str], lock: RunLock) -> int:
        with Supervisor(_ROOT, self._var / "log", self._console.log, held=(lock.descriptor,)) as supervisor:
            try:
                self._start(plan, made_up, supervisor)
                while True:
                    supervisor.watch()
                    self._console.tick()
            except StopRequestedError:
                self._console.say("Stopping; press Ctrl-C again to end at once.")
                supervisor.stop_all()
                self._console.say("Stopped.")
                return 130 if supervisor.impatient else 0
            except ChildEndedError as ended:
                self._report(ended.child)
                return 1

    def _start(self, plan: Plan, made_up: Mapping[str, str], supervisor: Supervisor) -> None:
        environ = dict(plan.environ)
        embedded = None
        if plan.own_redis:
            # A demo's invented people never share a database with a real project's.
            data = self._var / ("redis-demo" if plan.demo else "redis")
            embedded = EmbeddedRedis(data, ports.free_redis_port(), made_up["EMBEDDED_REDIS_PASSWORD"])
            environ["REDIS_URL"] = embedded.url
        settings = _checked_settings(environ)
        self._write_run_env(plan, environ)
        self._console.say("Starting ...")
        if embedded:
            self._start_redis(embedded, supervisor)
            upgrade_state(embedded, settings, self._var / "backups", self._console.say)
        require_redis(settings)
        for command in procfile_commands(_ROOT, environ):
            self._launch(supervisor, command)
        self._wait(supervisor, lambda: _healthy(plan.port), "web", plan.port)
        if plan.demo:
            self._launch(supervisor, sandbox_command(plan, environ, self._var / "sandbox"))
            self._wait(supervisor, lambda: ports.accepts(plan.sandbox_port), "sandbox", plan.sandbox_port)
        token = first_token(
            settings.redis_url,
            self._var / "demo.env",
            made_up,
            demo=plan.demo,
            audit_cap=settings.audit_cap,
        )
        if token:
            self._write_run_env(plan, environ, {"API_TOKEN": token})
        title = (
            "cohort-relay runs, with the sandbox in Mixpanel's place." if plan.demo else "cohort-relay runs."
        )
        self._console.block(
            "\n" + self._console.bold(title) + "\n" + banner(plan, environ, _shown(self._var), token)
        )

    def _start_redis(self, embedded: EmbeddedRedis, supervisor: Supervisor) -> None:
        self._launch(supervisor, embedded.prepare(self._given))
        if not supervisor.wait_until(embedded.ready, timeout_s=3.0):
            self._console.say(f"Redis is loading what {_shown(embedded.directory)} holds ...")
            supervisor.wait_until(embedded.ready, _LOADING_S)

    def _launch(self, supervisor: Supervisor, command: Command) -> None:
        try:
            supervisor.start(command)
        except OSError as err:
            raise LocalError(
                f"{command.name} cannot be started: {command.arguments[0]}: {err.strerror}."
            ) from err

    def _wait(self, supervisor: Supervisor, condition: Callable[[], bool], name: str, port: int) -> None:
        if not supervisor.wait_until(condition, _START_S):
            raise LocalError(
                f"{name} does not answer on port {port} after {_START_S:.0f} s; "
                f"its log is {_shown(self._var)}/log/{name}.log."
            )

    def _check_ports(self, plan: Plan) -> None:
        ports.require_free(plan.port, "PORT", "the web server")
        if plan.demo:
            ports.require_free(plan.sandbox_port, "SANDBOX_PORT", "the sandbox")

    def _report(self, child: Child) -> None:
        log = _shown(child.log.path)
        self._console.complain(f"{child.name} ended unexpectedly ({child.how_it_ended()}). The end of {log}:")
        self._console.block("\n".join(f"    {brief(line)}" for line in child.log.tail(_TAIL_LINES)))
        self._console.complain(
            "Everything else is being stopped. What was accepted is kept: the next `make run` goes on there."
        )

    def _write_run_env(
        self, plan: Plan, environ: Mapping[str, str], more: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Leave the environment, and what else is good to know, for a command in another terminal."""
        told = {**more, **({"SANDBOX_URL": plan.sandbox_url} if plan.demo else {})}
        known = {**environ, **told}
        names = sorted((plan.chosen | {"REDIS_URL"} | told.keys()) & known.keys())
        header = "# The environment of the last `make run`, for `flask --env-file`. Rewritten by each run.\n"
        text = credentials.as_env({name: known[name] for name in names})
        credentials.write_private(self._var / "run.env", header + text)


def _checked_settings(environ: Mapping[str, str]) -> Settings:
    try:
        return load_settings(environ, _ROOT)
    except SettingsError as err:
        raise LocalError(str(err)) from err


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1.0)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _shown(path: Path) -> Path:
    """Return the path as a person would write it from here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
