"""Commands that change a running sandbox."""

from typing import Any

import click

from app.sandbox.commands.remote import Remote, remote
from app.sandbox.faults import API_KINDS, API_PATHS, SENDER_KINDS

SHOWN_SYNC = (
    "cohort_id",
    "cohort_name",
    "state",
    "kind",
    "entered",
    "exited",
    "members",
    "pages",
    "took_s",
    "reason",
)


@click.command()
@click.argument("cohort_id", type=int, required=False)
@click.option("--full", is_flag=True, help="Export the whole cohort (`members`).")
@remote
def sync(sandbox: Remote, cohort_id: int | None, full: bool) -> None:
    """Sync a cohort, or all, now."""
    answer = sandbox.call("POST", "/sync", {"cohort_id": cohort_id, "full": full})
    sandbox.show(answer, [{key: one[key] for key in SHOWN_SYNC} for one in answer["syncs"]], "no cohorts")


@click.command()
@click.option("--share", type=click.FloatRange(0, 1), help="Part of each cohort that is exchanged.")
@remote
def churn(sandbox: Remote, share: float | None) -> None:
    """Let people enter and leave cohorts now."""
    answer = sandbox.call("POST", "/churn", {"share": share})
    sandbox.show(answer, answer["churned"], "no churn")


@click.command()
@click.argument("cohort_id", type=int)
@click.argument("name")
@remote
def rename(sandbox: Remote, cohort_id: int, name: str) -> None:
    """Give a cohort another name."""
    sandbox.show(sandbox.call("PATCH", f"/cohorts/{cohort_id}", {"name": name}))


@click.command()
@click.argument("cohort_id", type=int)
@remote
def pause(sandbox: Remote, cohort_id: int) -> None:
    """Pause a cohort's sync."""
    sandbox.show(sandbox.call("POST", f"/cohorts/{cohort_id}/pause", {}))


@click.command()
@click.argument("cohort_id", type=int)
@remote
def resume(sandbox: Remote, cohort_id: int) -> None:
    """Take a pause back."""
    sandbox.show(sandbox.call("POST", f"/cohorts/{cohort_id}/resume", {}))


@click.command()
@click.argument("kind", type=click.Choice([*API_KINDS, *SENDER_KINDS]))
@click.option("--count", default=1, show_default=True, help="For so many requests; 0 means until cleared.")
@click.option("--probability", default=1.0, type=click.FloatRange(0, 1), show_default=True)
@click.option("--status", type=int, help="status: the code to answer.  [default: 503]")
@click.option("--message", help="status, partial, poison: what the answer says.")
@click.option("--delay", "delay_s", type=float, help="delay: seconds.  [default: 1]")
@click.option("--retry-after", "retry_after_s", type=float, help="status: a Retry-After header.")
@click.option(
    "--records", type=int, help="partial: records to refuse; abort: pages before the end.  [default: 1]"
)
@click.option(
    "--when", type=click.Choice(["before", "after"]), help="status, timeout, cut: after applying the batch?"
)
@click.option("--path", type=click.Choice(API_PATHS), help="Strike there only.  [default: anywhere]")
@click.option("--distinct-id", "distinct_ids", multiple=True, help="poison: an id; repeatable.")
@remote
def fault(sandbox: Remote, kind: str, count: int, **options: Any) -> None:
    """Inject a fault: status, delay, timeout, cut, partial, poison; or the sender's own."""
    side = "sender" if kind in SENDER_KINDS else "api"
    given = {name: value for name, value in options.items() if value not in (None, ())}
    sandbox.show(
        sandbox.call("POST", "/faults", {"side": side, "kind": kind, "count": count or None, **given})
    )


@click.command()
@click.option("--clear", is_flag=True, help="Take all faults back.")
@remote
def faults(sandbox: Remote, clear: bool) -> None:
    """List the faults in force, or take them back."""
    if clear:
        sandbox.show(sandbox.call("DELETE", "/faults"))
        return
    answer = sandbox.call("GET", "/faults")
    shown = ("fault_id", "side", "kind", "path", "count", "probability", "status", "when", "records")
    sandbox.show(answer, [{key: one[key] for key in shown} for one in answer["faults"]], "no faults")


@click.command()
@click.option("--advance", "advance_s", type=click.FloatRange(0), help="Move the time ahead by seconds.")
@click.option(
    "--scale", type=click.FloatRange(min=0, min_open=True), help="Let it run so many times as fast."
)
@remote
def clock(sandbox: Remote, advance_s: float | None, scale: float | None) -> None:
    """Show or change the sandbox's time."""
    changes = {
        name: value for name, value in (("advance_s", advance_s), ("scale", scale)) if value is not None
    }
    sandbox.show(sandbox.call("POST", "/clock", changes) if changes else sandbox.call("GET", "/clock"))


@click.command(name="set")
@click.argument("setting")
@click.argument("value")
@remote
def set_(sandbox: Remote, setting: str, value: str) -> None:
    """Change a setting until the next start, for example: set limits.max_updates 100."""
    group, _, name = setting.partition(".")
    read = _value(value)
    changes = {group: {name: read}} if name else {group: read}
    answer = sandbox.call("POST", "/settings", changes)
    sandbox.show(answer)


@click.command()
@click.confirmation_option(prompt="Forget all profiles, events, links, cohorts and snapshots?")
@remote
def reset(sandbox: Remote) -> None:
    """Start anew with the people and cohorts of the first start."""
    sandbox.show(sandbox.call("POST", "/reset"))


def _value(written: str) -> Any:
    """Read a setting's value: true and false, a number, or text."""
    if written in {"true", "false"}:
        return written == "true"
    try:
        return int(written)
    except ValueError:
        pass
    try:
        return float(written)
    except ValueError:
        return written


COMMANDS: tuple[click.Command, ...] = (
    sync,
    churn,
    rename,
    pause,
    resume,
    fault,
    faults,
    clock,
    set_,
    reset,
)
