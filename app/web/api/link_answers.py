"""What is told about identity links: those that were made, those that wait, and what one would do."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from app.destinations.identity.clusters import Edge
from app.destinations.identity.effects import Effect, Shown
from app.destinations.identity.links import Link
from config.links import DEVICE_PREFIX, KEYS, Verb


def sent(edge: Edge, why: Mapping[str, Any]) -> dict[str, Any]:
    """Tell of a link that was made, and why it was."""
    told = {**why, "sequence": edge.sequence} if edge.sequence else dict(why)
    return _known(_written(edge.verb, edge.first, edge.second), "sent", edge.time_ms, told)


def pending_link(link: Link) -> dict[str, Any]:
    """Tell of a link that waits."""
    return _known(_written(link.verb, *link.nodes), "pending", link.time_ms, link.why)


def _known(link: dict[str, Any], state: str, time_ms: int, why: Mapping[str, Any]) -> dict[str, Any]:
    since = datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return {"link": link, "state": state, "since": since.replace("+00:00", "Z"), "why": dict(why)}


def _written(verb: Verb, first: str, second: str) -> dict[str, Any]:
    """Write a link of two distinct_ids as it is handed in."""
    if verb == "merge":
        return {"merge": [first, second]}
    one, other = KEYS[verb]
    return {one: first, other: second.removeprefix(DEVICE_PREFIX) if verb == "device" else second}


def told_effect(
    index: int, effect: Effect, may_see: Collection[str] | None, *, pending: bool
) -> dict[str, Any]:
    """Tell what a link would do; of ids, only those that the caller may see, None for all."""
    link, refusal = effect.link, effect.verdict.refusal
    return {
        "index": index,
        "link": _written(link.verb, *link.nodes),
        "verdict": effect.verdict.kind,
        **({"code": refusal.code, "reason": refusal.reason} if refusal else {}),
        "irreversible": link.verb == "merge" and effect.verdict.kind == "send",
        "pending": pending,
        "before": [_cluster(one, may_see) for one in effect.before],
        "after": _cluster(effect.after, may_see) if effect.after else None,
    }


def _cluster(shown: Shown, may_see: Collection[str] | None) -> dict[str, Any]:
    ids = shown.ids if may_see is None else [one for one in shown.ids if one in may_see]
    return {"size": shown.size, "ids": ids}
