"""Commands that look at events, group profiles and identities."""

from urllib.parse import quote

import click

from app.sandbox.commands.remote import Remote, remote


@click.command()
@click.option("--event", help="Only those of this name.")
@click.option("--person", help="Only those of this person; any of the person's ids.")
@click.option("--count", is_flag=True, help="Only say how many, by name.")
@click.option("--limit", default=20, show_default=True)
@remote
def events(sandbox: Remote, event: str | None, person: str | None, count: bool, limit: int) -> None:
    """List or count events, each once, however often it came."""
    if count:
        answer = sandbox.call("GET", "/event-counts", event=event, distinct_id=person)
        rows = [
            {"event": name, "events": number, "arrivals": answer["arrivals"][name]}
            for name, number in answer["events"].items()
        ]
        sandbox.show(answer, rows, "no events")
        return
    answer = sandbox.call("GET", "/events", event=event, distinct_id=person, limit=limit)
    shown = ("event", "time_ms", "distinct_id", "insert_id", "arrivals")
    sandbox.show(answer, [{name: one[name] for name in shown} for one in answer["events"]], "no such events")


@click.command()
@click.option("--min", "least", default=2, show_default=True, help="Events that came so often.")
@click.option("--limit", default=20, show_default=True)
@remote
def arrivals(sandbox: Remote, least: int, limit: int) -> None:
    """List events that came more than once."""
    answer = sandbox.call("GET", "/arrivals", min=least, limit=limit)
    sandbox.show(answer, answer["arrivals"], "no event came so often")


@click.command()
@click.option("--key", "group_key", help="Only those of this group key.")
@click.option("--limit", default=20, show_default=True)
@remote
def groups(sandbox: Remote, group_key: str | None, limit: int) -> None:
    """List group profiles."""
    answer = sandbox.call("GET", "/groups", group_key=group_key, limit=limit)
    rows = [{name: one[name] for name in ("group_key", "group_id", "properties")} for one in answer["groups"]]
    sandbox.show(answer, rows, "no groups")


@click.command()
@click.argument("distinct_id", required=False)
@click.option("--limit", default=20, show_default=True)
@remote
def clusters(sandbox: Remote, distinct_id: str | None, limit: int) -> None:
    """List the people of several ids, or the ids of one."""
    if distinct_id is not None:
        sandbox.show(sandbox.call("GET", f"/clusters/{quote(distinct_id, safe='')}"))
        return
    answer = sandbox.call("GET", "/clusters", limit=limit)
    sandbox.show(answer, answer["clusters"], "nobody has more than one id")


@click.command()
@click.option("--limit", default=20, show_default=True)
@remote
def links(sandbox: Remote, limit: int) -> None:
    """List the identity links that came, and what became of each."""
    answer = sandbox.call("GET", "/links", limit=limit)
    shown = ("verb", "first", "second", "outcome", "reason")
    sandbox.show(answer, [{name: one[name] for name in shown} for one in answer["links"]], "no links")


COMMANDS: tuple[click.Command, ...] = (events, arrivals, groups, clusters, links)
