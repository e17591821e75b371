"""Find what people know by its name: saved funnels."""

from collections.abc import Mapping
from typing import Any, Final

from app.mixpanel.calling.api import MixpanelApi
from app.mixpanel.calling.failures import CallFailed, InvalidArguments
from app.mixpanel.calling.options import AT_ONCE, DEFAULT, Options, Wait
from app.mixpanel.calling.problems import PROBLEMS
from app.mixpanel.catalog.row import Endpoint
from config.projects import Project

_FUNNEL: Final = "funnel_id"
_LISTED: Final = ("query", "funnels-list")


def with_ids(
    api: MixpanelApi,
    project: Project,
    row: Endpoint,
    arguments: Mapping[str, Any],
    *,
    wait: Wait = AT_ONCE,
    options: Options = DEFAULT,
) -> dict[str, Any]:
    """Give the arguments with the id in place of a funnel's name.

    Pipelines need no such thing: what Mixpanel identifies them by is their name.

    Raises:
        InvalidArguments: There is no funnel of that name, or there are several.
        CallFailed: The funnels cannot be listed.
    """
    given = arguments.get(_FUNNEL)
    if row.parameter(_FUNNEL) is None or not isinstance(given, str) or given.strip().isdecimal():
        return dict(arguments)
    for fresh in (False, True):  # a funnel may be newer than the list that is kept
        result = api.call(project, *_LISTED, wait=wait, fresh=fresh, options=options)
        found = _named(_funnels(result.json()), given)
        if found or not result.from_cache:
            break
    if len(found) == 1:
        return {**arguments, _FUNNEL: found[0]}
    what = "is the name of no funnel; `query funnels-list` lists them"
    if found:
        what = f"is the name of several funnels: {', '.join(map(str, found))}; give the id"
    raise InvalidArguments(f"{row.family} {row.name}", ((_FUNNEL, what),))


def _funnels(answer: Any) -> dict[int, str]:
    try:
        return {int(one["funnel_id"]): str(one["name"]) for one in answer}
    except (TypeError, KeyError, ValueError):
        raise CallFailed(PROBLEMS["unreadable"], " ".join(_LISTED)) from None


def _named(funnels: Mapping[int, str], name: str) -> list[int]:
    """Find the ids of a name: exactly as written, else whatever its case."""
    exact = [number for number, own in funnels.items() if own == name]
    folded = name.strip().casefold()
    return exact or [number for number, own in funnels.items() if own.strip().casefold() == folded]
