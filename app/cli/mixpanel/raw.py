"""`flask mixpanel raw`: any method and path of a family, with its credential, budget and retries."""

import mimetypes
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import click
import orjson

from app.cli.auditing import audited
from app.cli.mixpanel.calls import calling, failing
from app.cli.mixpanel.choices import choice_options, choices_of, chosen_project, confirm
from app.cli.mixpanel.options import bytes_of, text_of
from app.cli.mixpanel.showing import show
from app.mixpanel.calling.raw import METHODS, RawRequest
from app.mixpanel.catalog.families import FAMILIES

_READING: Final = frozenset({"GET", "HEAD"})
_PAIR: Final = "NAME=VALUE"


def _run(**given: Any) -> None:
    """Send any request to a family's host.

    PATH begins with a slash and stands below the family's base address: `flask mixpanel raw query GET
    /cohorts/list`. The family's credential, budget and retries apply; the project's id is put in.
    """
    headers = {name: "".join(values) for name, values in _pairs(given.pop("headers"), "--header").items()}
    output = given.pop("output")
    choices = choices_of(given, headers=headers)
    request = _request(given)
    family, method = given["family"], request.method
    with calling(choices) as services:
        project = chosen_project(services, choices)
        resources = {"project_id": project.id, "endpoint": f"{family}.raw", "method": method}
        log = nullcontext() if method in _READING else audited(services, "mixpanel raw", **resources)
        with log, failing(choices):
            if method == "DELETE" or "delete" in request.path.lower():
                confirm(f"{method} {request.path} in project {project.id}?", choices)
            result = services.mixpanel.raw(
                project, family, request, wait=choices.patience(), options=choices.options
            )
    if output is None:
        show(result, choices)
    else:
        with click.open_file(output, "wb") as file:
            file.write(result.body)


def _request(given: dict[str, Any]) -> RawRequest:
    """Make the request of the options.

    Raises:
        click.UsageError: There are several bodies, or one is no JSON.
    """
    form, files = _pairs(given["form"], "--form"), _pairs(given["files"], "--file")
    said = given["json_body"]
    if sum(bool(one) for one in (form or files, said, given["data"])) > 1:
        raise click.UsageError("Give one body: --form and --file, --json-body, or --data.")
    try:
        body = None if said is None else orjson.loads(bytes_of(said))
    except orjson.JSONDecodeError:
        raise click.BadParameter("is no JSON", param_hint="--json-body") from None
    return RawRequest(
        given["method"],
        given["path"],
        query={
            name: list(map(text_of, values)) for name, values in _pairs(given["query"], "--query").items()
        },
        json=body,
        form={name: list(map(text_of, values)) for name, values in form.items()}
        if form and not files
        else None,
        files=_multipart(form, files) if files else None,
        body=None if given["data"] is None else bytes_of(given["data"]),
        content_type=given["content_type"],
        idempotent=given["idempotent"],
    )


def _multipart(form: dict[str, list[str]], files: dict[str, list[str]]) -> dict[str, Any]:
    found: dict[str, Any] = {name: text_of(values[-1]) for name, values in form.items()}
    for name, (path, *_) in files.items():
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        found[name] = (Path(path).name, bytes_of(f"@{path}"), kind)
    return found


def _pairs(given: Sequence[str], option: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not (name and equals):
            raise click.BadParameter(f"must be {_PAIR}", param_hint=option)
        found.setdefault(name, []).append(value)
    return found


def _several(names: list[str], metavar: str, told: str) -> click.Option:
    return click.Option(names, multiple=True, metavar=metavar, help=told)


raw = click.Command(
    "raw",
    callback=_run,
    help=_run.__doc__,
    short_help="Send any request to a family's host.",
    params=[
        click.Argument(["family"], type=click.Choice(tuple(FAMILIES)), metavar="FAMILY"),
        click.Argument(["method"], type=click.Choice(METHODS, case_sensitive=False), metavar="METHOD"),
        click.Argument(["path"]),
        _several(["--query", "query"], _PAIR, "Of the address; may be given several times."),
        _several(["--header", "headers"], _PAIR, "May be given several times."),
        _several(["--form", "form"], _PAIR, "A field of a form; may be given several times."),
        _several(["--file", "files"], "NAME=PATH", "A file of a form; may be given several times."),
        click.Option(
            ["--json-body"], metavar="JSON", help="A body of JSON, or @FILE, or @- for standard input."
        ),
        click.Option(["--data"], metavar="TEXT", help="A body as it is: text, or @FILE, or @-."),
        click.Option(
            ["--content-type"], default="application/octet-stream", show_default=True, help="Of --data."
        ),
        click.Option(
            ["--idempotent/--not-idempotent"],
            default=None,
            help="Whether it may be sent again although it may have been applied; as its method says.",
        ),
        click.Option(
            ["--retry-delay"],
            type=click.FloatRange(0),
            default=2.0,
            show_default=True,
            metavar="SECONDS",
            help="Before the first further try.",
        ),
        click.Option(
            ["--exponential/--constant", "exponential"],
            default=True,
            help="Whether the delay doubles each time.  [default: exponential]",
        ),
        click.Option(["--retry-all"], is_flag=True, help="Try again whatever the error, 4xx too."),
        click.Option(
            ["--output"], metavar="FILE", help="Write the answer's bytes there; - is standard output."
        ),
        *choice_options(deletes=True),
    ],
)
