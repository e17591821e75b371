"""Show an answer, or why there is none."""

import csv
import io
import sys
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NoReturn

import click
import orjson

from app.cli.formatting import clean, duration, table
from app.cli.mixpanel.choices import Choices
from app.cli.mixpanel.naming import flag, flags
from app.cli.mixpanel.tabular import Rows, rows_of, text
from app.cli.opening import print_json
from app.mixpanel.calling.failures import CallFailed, InvalidArguments, OutOfBudget
from app.mixpanel.calling.results import Result
from app.mixpanel.catalog.row import Endpoint

FAILED, WRONG, LATER = 1, 2, 3
"""Exit codes: Mixpanel (or we) refused it; the arguments are wrong; the same call can succeed later."""

_LONGEST_CELL: Final = 60


def show(result: Result, choices: Choices, *, kept: bool = False) -> None:
    """Print an answer as it is wanted.

    Args:
        result: The answer.
        choices: How it is wanted.
        kept: Answers of this endpoint are kept: say how old it is.
    """
    for warning in result.warnings:
        click.echo(warning, err=True)
    if kept:
        click.echo(_age(result), err=True)
    if not result.body.strip():
        if choices.as_json:
            print_json({"ok": True, "status": result.status})
        else:
            click.echo("Done.", err=True)
        return
    try:
        answer = orjson.loads(result.body)
    except orjson.JSONDecodeError:
        _plain(result, choices)
        return
    if choices.as_json:
        click.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    elif isinstance(answer, list | dict):
        show_rows(rows_of(answer), choices.output)
    else:
        click.echo(text(answer))


def show_rows(rows: Rows, output: str) -> None:
    """Print a table, or CSV of all of it."""
    if output == "csv":
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(rows.headers)
        writer.writerows([text(cell) for cell in row] for row in rows.rows)
        click.echo(lines.getvalue(), nl=False)
    elif rows.rows:
        headers = [clean(name, _LONGEST_CELL) for name in rows.headers]
        cells = [[clean(text(cell), _LONGEST_CELL) for cell in row] for row in rows.rows]
        click.echo(table(headers, cells, numbers=rows.numbers))
    else:
        click.echo("There is nothing.", err=True)


def fail(error: CallFailed, choices: Choices, row: Endpoint | None = None) -> NoReturn:
    """Say why a call gave no answer and what to do, and end."""
    told = _in_options(error, row) if isinstance(error, InvalidArguments) else str(error)
    if choices.as_json:
        facts: dict[str, Any] = {"ok": False, "problems": [told], "code": error.problem.code}
        facts |= {"status": error.status, "mixpanel": error.answered or None}
        if error.retry_after_s:
            at = error.at if isinstance(error, OutOfBudget) else _in(error.retry_after_s)
            facts |= {
                "retry_after_s": round(error.retry_after_s, 1),
                "again_at": at.isoformat(timespec="seconds"),
            }
        print_json(facts)
    else:
        click.echo(told, err=True)
        if error.answered:
            click.echo(f"Mixpanel said: {clean(error.answered, len(error.answered))}", err=True)
        if isinstance(error, OutOfBudget):
            click.echo(f"That is in {duration(error.retry_after_s)}; --wait waits for it.", err=True)
    sys.exit(code_of(error))


def code_of(error: CallFailed) -> int:
    """Return the exit code of a failed call."""
    if isinstance(error, InvalidArguments):
        return WRONG
    return LATER if isinstance(error, OutOfBudget) or error.again else FAILED


def _in_options(error: InvalidArguments, row: Endpoint | None) -> str:
    """Name the options in place of the parameters."""
    lines = []
    for name, what in error.problems:
        parameter = row.parameter(name) if row else None
        shown = " / ".join(flags(row, parameter)) if row and parameter else name
        if row is None and name:
            shown = flag(name) if name != "path" else "PATH"
        lines.append(f"  - {shown}: {what}" if shown else f"  - {what}")
    title = f"{error.where}: the arguments are not what the endpoint takes; nothing was sent."
    return "\n".join([title, *lines])


def _age(result: Result) -> str:
    if not result.from_cache:
        return f"Computed {result.computed_at}."
    return f"Computed {result.computed_at}, asked for {duration(result.age_s)} ago (--fresh asks anew)."


def _plain(result: Result, choices: Choices) -> None:
    if choices.as_json:
        print_json({"ok": True, "status": result.status, "text": result.body.decode(errors="replace")})
    else:
        click.echo(result.body.rstrip(b"\n"))


def _in(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)
