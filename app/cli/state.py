"""`flask state ...`: what is stored: check, compare, restore, upgrade (docs/installation.md)."""

from collections import Counter
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click
from flask.cli import AppGroup
from redis import Redis, RedisError

from app.cli.auditing import audited
from app.cli.doctor import line, summary
from app.cli.formatting import number, plural, size, table
from app.cli.opening import end, json_option, opened, print_json, settings_or_end
from app.cli.progress import Advance, progress
from app.cli.resync import ASKED_BY
from app.installation.backup import NotSaved, save
from app.installation.comparing import Difference, compare
from app.installation.restored import Restored, Restoring
from app.installation.stored import KINDS, stored_projects
from app.resync.resyncs import NoQueryAccess, UnderWay, UnknownCohort
from app.resync.state import Wanted
from app.services import Services, build_services
from app.status.consistency import consistency
from app.status.processes import processes
from app.store.connection import connect
from app.store.faults import redis_sentence, shown_url
from app.store.format import FORMAT
from app.store.heartbeats import process_name
from app.store.upgrading import BeingUpgraded, NoWay, Upgrading

state_cli = AppGroup("state", help="What is stored: check, compare, restore, upgrade (docs/installation.md).")


@state_cli.command("check", with_appcontext=False)
@json_option
def check(as_json: bool) -> None:
    """Check that what is stored fits together: after a restore, a move or a loss. Status 1 on failures."""
    with opened(as_json=as_json) as services:
        projects = sorted({*services.settings.projects, *stored_projects(services.redis)})
        found = [each for project_id in projects for each in consistency(services.redis, project_id)]
    healthy = all(each.ok for each in found)
    if as_json:
        print_json({"ok": healthy, "checks": [asdict(each) for each in found]})
    else:
        for project_id in projects:
            click.echo(f"Project {project_id}")
            click.echo("\n".join(line(each) for each in found if each.project_id == project_id) + "\n")
        click.echo(summary(found))
    if not healthy:
        raise SystemExit(1)


@state_cli.command("compare", with_appcontext=False)
@click.argument("url")
@click.option("--contents", is_flag=True, help="Read everything, instead of only counting.")
@json_option
def compare_(url: str, contents: bool, as_json: bool) -> None:
    """Compare what REDIS_URL holds with another Redis at URL: after a move. Status 3 when they differ.

    Nothing may be at work meanwhile, or what it changes differs. What passes by itself is left out.
    """
    looked = 0

    def seen(more: int, advance: Advance) -> None:
        nonlocal looked
        looked += more
        advance(more)

    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise click.BadParameter("must begin with redis://, rediss:// or unix://", param_hint="URL")
    with opened(as_json=as_json) as services, closing(connect(url)) as there:
        try:
            there.ping()
        except RedisError as error:
            end([redis_sentence(error, url, "URL")], as_json=as_json)
        total = (services.redis.dbsize() + there.dbsize()) * (2 if contents else 1)
        with progress("Comparing", total, hidden=as_json) as advance:
            found = compare(services.redis, there, contents=contents, seen=lambda more: seen(more, advance))
    if as_json:
        print_json({"ok": not found, "looked_at": looked, "differences": [asdict(each) for each in found]})
    elif found:
        click.echo(_differences(found))
        click.echo(f"\n{plural(len(found), 'difference')} between REDIS_URL and {shown_url(url)}.")
    else:
        same = "the same" if contents else "as much of everything"
        click.echo(f"REDIS_URL and {shown_url(url)} hold {same}: {number(looked)} looks at keys.")
    if found:
        raise SystemExit(3)


@state_cli.command("backup", with_appcontext=False)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def backup(file: Path, as_json: bool) -> None:
    """Let Redis write a backup (RDB), and put it at FILE; everything goes on meanwhile.

    For a Redis on this machine, such as that of `make run`. Of another, docs/installation.md says how.
    """
    if file.exists():
        end([f"{file} is there already; name another file."], as_json=as_json)
    with opened(as_json=as_json) as services, audited(services, "state backup") as note:
        try:
            with progress("Saving", services.redis.dbsize(), hidden=as_json) as advance:
                note.counts["bytes"] = written = save(services.redis, file, _Saved(services.redis, advance))
        except NotSaved as error:
            end([str(error)], as_json=as_json)
    if as_json:
        print_json({"ok": True, "file": str(file), "bytes": written})
    else:
        click.echo(f"{file}: {size(written)}. It holds personal data, and whoever is erased later.")


@state_cli.command("restored", with_appcontext=False)
@click.option("--reconcile", is_flag=True, help="Also ask for a reconcile of each cohort.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def restored(reconcile: bool, yes: bool, as_json: bool) -> None:
    """Say that an older backup was restored, before the processes are started again.

    Each project's log begins a new generation, so that subscribers notice that they may have seen what is
    not there any more; each cohort is suspect until a full sync or a reconcile.
    """
    if as_json and not yes:
        raise click.UsageError("With --json nothing can be asked: give --yes.")
    with opened(as_json=as_json) as services:
        _refuse_if_at_work(services, as_json=as_json)
        if not yes:
            click.confirm("Was an older backup restored into this Redis?", abort=True, err=True)
        with audited(services, "state restored") as note:
            restoring = Restoring(services.redis)
            done = [restoring.run(project_id) for project_id in sorted(stored_projects(services.redis))]
            asked = Counter({each.project_id: _reconcile(services, each) for each in done if reconcile})
            note.counts.update(projects=len(done), cohorts=sum(len(each.cohorts) for each in done))
    if as_json:
        told = [{**asdict(each), "reconciles": asked[each.project_id]} for each in done]
        print_json({"ok": True, "projects": told})
        return
    rows = [
        (each.project_id, each.before or "-", each.generation, len(each.cohorts), asked[each.project_id])
        for each in done
    ]
    headers = ("project", "log before", "log now", "cohorts in doubt", "reconciles asked for")
    click.echo(table(headers, rows, numbers=set(headers[3:])))
    click.echo("\nStart the processes. What is then to be done is in docs/installation.md, after a restore.")


@state_cli.command("upgrade", with_appcontext=False)
@click.option("--yes", is_flag=True, help="Do it. Without this, only say what would be done.")
@json_option
def upgrade(yes: bool, as_json: bool) -> None:
    """Bring what is stored to the version that this cohort-relay works with. Make a backup before.

    Until it is through, no process works: pages are answered 503, and Mixpanel sends them again. It can be
    broken off, and goes on when called again.
    """
    settings = settings_or_end(as_json=as_json)
    changed = 0
    with closing(connect(settings.redis_url)) as redis:
        upgrading = Upgrading(redis, list(settings.projects), process_name("upgrade"))
        try:
            ahead = [{"to": each.to, "what": each.what} for each in upgrading.ahead()]
            if yes and ahead:
                with audited(build_services(settings, looks_only=True), "state upgrade") as note:
                    keys_to_look_at = redis.dbsize() * len(ahead)
                    with progress("Upgrading", keys_to_look_at, hidden=as_json) as advance:
                        for step in upgrading.run():
                            changed += step.changed
                            advance(step.looked)
                    note.counts.update(version=FORMAT, changed=changed)
        except NoWay as error:
            end([f"{error}; run the cohort-relay that wrote it. Nothing was changed."], as_json=as_json)
        except BeingUpgraded:
            end(["It is being upgraded already, or was a minute ago; try again then."], as_json=as_json)
        except RedisError as error:
            end([redis_sentence(error, settings.redis_url, "REDIS_URL")], as_json=as_json)
    if as_json:
        print_json({"ok": True, "version": FORMAT, "ahead": ahead, "done": yes, "changed": changed})
    elif not ahead:
        click.echo(f"What is stored is of version {FORMAT} already; nothing to do.")
    elif yes:
        click.echo(f"What is stored is of version {FORMAT} now; {plural(changed, 'key')} changed.")
    else:
        click.echo("\n".join(f"To version {each['to']}: {each['what']}." for each in ahead))
        click.echo("\nNothing was changed. Make a backup, then add --yes.")


class _Saved:
    """Tells a bar how many keys a save under way has written, where Redis says so (from 7.0 on)."""

    def __init__(self, redis: Redis, advance: Advance) -> None:
        self._redis = redis
        self._advance = advance
        self._before = 0

    def __call__(self) -> None:
        keys = int(self._redis.info("persistence").get("current_save_keys_processed", 0))
        if keys > self._before:
            self._advance(keys - self._before)
            self._before = keys


def _refuse_if_at_work(services: Services, *, as_json: bool) -> None:
    alive = [each.name for each in processes(services.heartbeats.alive()) if each.alive]
    if alive:
        end([f"At work: {', '.join(alive)}. Stop all processes first, web servers too."], as_json=as_json)


def _reconcile(services: Services, done: Restored) -> int:
    """Ask for a reconcile of each cohort; return for how many it could be asked for."""
    project = services.settings.projects.get(done.project_id)
    if project is None:
        return 0
    asked = 0
    for cohort_id in done.cohorts:
        try:
            services.resyncs.ask(project, cohort_id, Wanted("reconcile", asked_by=ASKED_BY))
        except (UnderWay, UnknownCohort):
            continue
        except NoQueryAccess:
            return 0
        asked += 1
    return asked


def _differences(found: list[Difference]) -> str:
    rows = [
        (
            each.project_id or "-",
            KINDS.get(each.kind, each.kind),
            *(f"{number(side.keys)} / {number(side.entries)}" for side in (each.here, each.there)),
            "other contents" if each.contents else "",
        )
        for each in found
    ]
    return table(("project", "what", "here (keys / entries)", "there", "notes"), rows)
