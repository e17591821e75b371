"""Talk to a running sandbox, and print what it says as a table or as JSON."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click
import orjson
import requests
from tabulate import tabulate

DEFAULT_URL = "http://127.0.0.1:8089"
TIMEOUT_S = 300.0  # a sync that is asked for can try for a minute a page
Command = TypeVar("Command", bound=Callable[..., Any])


class Remote:
    """A running sandbox, over HTTP."""

    def __init__(self, url: str, *, as_json: bool) -> None:
        self._url = url.rstrip("/")
        self.as_json = as_json

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        """Ask the sandbox.

        Raises:
            click.ClickException: It does not answer, or says no; the message says what to do.
        """
        sent = {name: value for name, value in query.items() if value is not None}
        try:
            response = requests.request(
                method, f"{self._url}/sandbox{path}", json=body, params=sent, timeout=TIMEOUT_S
            )
            answer = response.json()
        except requests.ConnectionError as err:
            message = f"no sandbox answers at {self._url}: start one with `run`, or name another with --url"
            raise click.ClickException(message) from err
        except (requests.RequestException, ValueError) as err:
            raise click.ClickException(
                f"what answers at {self._url} is not a sandbox ({type(err).__name__})"
            ) from err
        if not response.ok:
            raise click.ClickException(str(answer.get("error", f"HTTP {response.status_code}")))
        return dict(answer)

    def show(
        self, answer: Mapping[str, Any], rows: Sequence[Mapping[str, Any]] | None = None, empty: str = ""
    ) -> None:
        """Print an answer: as JSON whole, else its rows as a table, or its fields one a line."""
        if self.as_json:
            click.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
        elif rows is None:
            click.echo(
                tabulate(
                    [(name, _cell(value)) for name, value in answer.items()],
                    tablefmt="plain",
                    disable_numparse=True,
                )
            )
        elif rows:
            cells = [{name: _cell(value) for name, value in row.items()} for row in rows]
            click.echo(tabulate(cells, headers="keys", disable_numparse=True))
        else:
            click.echo(empty or "nothing")


def remote(command: Command) -> Command:
    """Give a command `--url` and `--json`, and pass it a `Remote` as `sandbox`."""

    def wrapper(url: str, as_json: bool, **options: Any) -> Any:
        return command(Remote(url, as_json=as_json), **options)

    wrapper.__name__, wrapper.__doc__ = command.__name__, command.__doc__
    if hasattr(command, "__click_params__"):
        wrapper.__click_params__ = command.__click_params__  # type: ignore[attr-defined]  # where click keeps them
    with_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")(wrapper)
    with_url = click.option(
        "--url", default=DEFAULT_URL, envvar="SANDBOX_URL", show_default=True, show_envvar=True
    )
    return with_url(with_json)  # type: ignore[return-value]  # the wrapper takes the command's place


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return orjson.dumps(value).decode() if isinstance(value, dict | list) else str(value)
