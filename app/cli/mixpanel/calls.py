"""`flask mixpanel FAMILY ENDPOINT ...`: a call of an endpoint, derived from its row."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

import click
import orjson

from app.cli.auditing import audited
from app.cli.mixpanel.choices import Choices, choice_options, choices_of, chosen_project, confirm
from app.cli.mixpanel.options import arguments_of, bytes_of, options_of
from app.cli.mixpanel.showing import fail, show
from app.cli.opening import opened
from app.mixpanel.calling.failures import CallFailed
from app.mixpanel.calling.names import with_ids
from app.mixpanel.calling.results import Result
from app.mixpanel.catalog.row import Endpoint
from app.services import Services
from config.projects import Project

_PAGED: Final = ("query", "profiles")
_TOLD_HERE: Final = ("app.mixpanel.observing", "app.mixpanel.calling.warnings")
_REMOVE_ALL: Final = ("truncate",)
_IN_RECORDS: Final = "$delete"
_KEEPS: Final = frozenset({("experiments", "unarchive"), ("gdpr", "cancel-deletion")})


def endpoint_command(row: Endpoint) -> click.Command:
    """Make the command of a row."""

    def run(**given: Any) -> None:
        choices = choices_of(given)
        with calling(choices) as services:
            if given.get("every_page"):
                _every_page(services, row, choices, given)
            else:
                _run(services, row, choices, given)

    options = [*options_of(row), *_body_option(row), *_pages_option(row)]
    options += choice_options(deletes=may_delete(row), keeps=row.reads and row.cache_s is not None)
    return click.Command(
        row.name, params=[*options], callback=run, help=help_of(row), short_help=row.summary, epilog=row.docs
    )


def help_of(row: Endpoint) -> str:
    """Say what an endpoint does, what it needs and what it costs."""
    facts = [f"Credential: {' or '.join(row.credentials).replace('_', ' ')}."]
    if row.role:
        facts.append(f"Role: {row.role} or higher.")
    if row.budget:
        facts.append(f"Budget: {row.budget}.")
    retired = [f"Retired: {row.retired}".replace("`", "")] if row.retired else []
    values = "@FILE as a value takes it from the file, @- from standard input."
    return "\n\n".join([f"{row.summary}.", " ".join(facts), *retired, values])


def may_delete(row: Endpoint) -> bool:
    """Say whether an endpoint can take something away for good."""
    return deletes(row, {}) or any(row.parameter(name) for name in (*_REMOVE_ALL, _IN_RECORDS))


def deletes(row: Endpoint, arguments: dict[str, Any], body: bytes | None = None) -> bool:
    """Say whether a call takes something away for good."""
    if row.reads or row.key in _KEEPS:
        return False
    named = row.method == "DELETE" or any(word in row.name for word in ("delete", "deletion"))
    asked = any(arguments.get(name) for name in _REMOVE_ALL) or _IN_RECORDS in arguments
    marks = (b'"$delete"', b'"truncate"')
    return named or asked or (body is not None and any(mark in body for mark in marks))


def _run(services: Services, row: Endpoint, choices: Choices, given: dict[str, Any]) -> None:
    project = chosen_project(services, choices)
    arguments, body = arguments_of(row, given), _body(row, given)
    fields = {one.name for one in row.of("json")}
    if body is not None and fields & arguments.keys():
        raise click.UsageError("Give the body's fields as options or all of it as --body, not both.")
    what = f"{row.family}.{row.name}"
    log = nullcontext() if row.reads else audited(services, "mixpanel", project_id=project.id, endpoint=what)
    with log, failing(choices, row):
        if deletes(row, arguments, body):
            confirm(f"{row.summary}, in project {project.id}?", choices)
        result = _called(services, project, row, choices, arguments=arguments, body=body)
    show(result, choices, kept=row.reads and row.cache_s is not None)


def _every_page(services: Services, row: Endpoint, choices: Choices, given: dict[str, Any]) -> None:
    """Write all people, a line each, as the pages come."""
    project = chosen_project(services, choices)
    arguments, wait = arguments_of(row, given), choices.patience()
    with failing(choices, row):
        for page in services.mixpanel.profiles(project, arguments, wait=wait, options=choices.options):
            for person in page.get("results", ()):
                click.echo(orjson.dumps(person))


def _pages_option(row: Endpoint) -> list[click.Option]:
    if row.key != _PAGED:
        return []
    told = "All pages: a line of JSON for each person. Every page counts against the budget."
    return [click.Option(["--all", "every_page"], is_flag=True, help=told)]


def _called(
    services: Services,
    project: Project,
    row: Endpoint,
    choices: Choices,
    *,
    arguments: dict[str, Any],
    body: bytes | None,
) -> Result:
    wait = choices.patience()
    arguments = with_ids(services.mixpanel, project, row, arguments, wait=wait, options=choices.options)
    return services.mixpanel.call(
        project,
        row.family,
        row.name,
        arguments,
        body=body,
        wait=wait,
        fresh=choices.fresh,
        options=choices.options,
    )


@contextmanager
def calling(choices: Choices) -> Iterator[Services]:
    """Open the services, for a command that tells of every call itself: log lines would say it twice."""
    loggers = [logging.getLogger(name) for name in _TOLD_HERE]
    before = [logger.level for logger in loggers]
    with opened(as_json=choices.as_json) as services:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield services
        finally:
            for logger, level in zip(loggers, before, strict=True):
                logger.setLevel(level)


@contextmanager
def failing(choices: Choices, row: Endpoint | None = None) -> Iterator[None]:
    """End the command where a call fails."""
    try:
        yield
    except CallFailed as error:
        fail(error, choices, row)


def _body_option(row: Endpoint) -> list[click.Option]:
    if row.body.kind in ("none", "form", "multipart"):
        return []
    what = "CSV" if row.body.kind == "csv" else "JSON"
    if row.body.shape == "records":
        what = "an object, a list of them, or one a line"
        what += f"; {row.body.max_records:,} at most" if row.body.max_records else ""
    told = f"The whole body ({what}) in place of its fields: @FILE, @- or - for standard input, or as it is."
    return [click.Option(["--body"], metavar="@FILE", help=told)]


def _body(row: Endpoint, given: dict[str, Any]) -> bytes | None:
    value = given.get("body") if _body_option(row) else None
    return None if value is None else bytes_of("@-" if value == "-" else value)
