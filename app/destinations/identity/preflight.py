"""What is refused before anything irreversible is sent, and why.

Mixpanel would refuse some of it, ignore some of it in silence, and do some of it for good. An id is judged as
it is, without folding its case: ids are case-sensitive there. Sources: the pages that `records` names,
https://docs.mixpanel.com/docs/tracking-methods/id-management/identifying-users-original and
https://developer.mixpanel.com/reference/import-events.
"""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from app.destinations.identity.clusters import MAX_IDS, Clusters, is_device
from app.destinations.identity.links import UUID4, Link
from app.mixpanel.refused_ids import is_refused_id
from config.ids import MAX_ID_BYTES, is_too_long
from config.links import DEVICE_PREFIX, VERBS, IdManagement
from config.projects import Project

RefusalCode = Literal[
    "verb_unavailable",
    "unusable_id",
    "refused_id",
    "same_id",
    "not_uuid4",
    "merge_not_allowed",
    "no_service_account",
    "alias_taken",
    "alias_cycle",
    "anon_id_merged",
    "other_user",
    "cluster_full",
]


class Refusal(NamedTuple):
    """Why a link must not be made.

    Attributes:
        code: stable.
        reason: for a person; names no id.
        second: whether it is about the second id rather than the first or both.
    """

    code: RefusalCode
    reason: str
    second: bool = False


@dataclass(frozen=True, slots=True)
class System:
    """What a project's identity can do.

    Attributes:
        id_management: which of the three systems it has.
        service_account: whether there is one, without which nothing is merged.
    """

    id_management: IdManagement
    service_account: bool

    @classmethod
    def of(cls, project: Project) -> "System":
        """Read it off the project."""
        return cls(project.id_management, project.service_account is not None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done with a link: send it, leave it (its ids are together), or refuse it."""

    kind: Literal["send", "already_linked", "refused"]
    refusal: Refusal | None = None


SEND: Final = Verdict("send")
ALREADY: Final = Verdict("already_linked")


def preflight(link: Link, system: System, clusters: Clusters) -> Verdict:
    """Judge a link against the clusters as they are when it is its turn.

    Args:
        link: the link.
        system: the project's.
        clusters: what is known of its two ids, links before it in the same window included.
    """
    refusal = wrong_in_itself(link, system)
    if refusal:
        return Verdict("refused", refusal)
    first, second = link.nodes
    if link.verb == "alias" and clusters.target(second) != first:
        refusal = _wrong_alias(first, second, clusters)
    if refusal is None and clusters.together(first, second):
        return ALREADY
    refusal = refusal or _wrong_by_clusters(link, clusters)
    return Verdict("refused", refusal) if refusal else SEND


def wrong_in_itself(link: Link, system: System) -> Refusal | None:
    """Say what is wrong with a link whatever was linked before."""
    known = VERBS[system.id_management]
    if link.verb not in known:
        able = ", ".join(sorted(known))
        return Refusal(
            "verb_unavailable",
            f"a project with id_management {system.id_management} knows no {link.verb} (only {able})",
        )
    return _wrong_ids(link) or (_wrong_merge(link, system) if link.verb == "merge" else None)


def _wrong_ids(link: Link) -> Refusal | None:
    for each, node, is_second in zip((link.first, link.second), link.nodes, (False, True), strict=True):
        if not each.strip() or is_too_long(node):
            reason = f"an id must have 1 to {MAX_ID_BYTES} bytes (a device's with {DEVICE_PREFIX})"
            return Refusal("unusable_id", f"{reason}, not all blank", is_second)
        if is_refused_id(each):
            reason = "Mixpanel refuses this id: broken tracking sends it for nobody"
            return Refusal("refused_id", reason, is_second)
    if link.verb == "device" and is_device(link.first):
        return Refusal("unusable_id", "a user_id cannot begin with $device:, which names a device")
    if link.first == link.second:
        return Refusal("same_id", "an id cannot be linked to itself", second=True)
    if link.verb == "identify" and not UUID4.fullmatch(link.second):
        return Refusal("not_uuid4", "an anon_id must be a UUID of version 4", second=True)
    return None


def _wrong_merge(link: Link, system: System) -> Refusal | None:
    if not link.allow_merge:
        return Refusal("merge_not_allowed", "a merge cannot be undone: it needs allow_merge: true")
    if not system.service_account:
        return Refusal("no_service_account", "Mixpanel takes a merge from a service account only")
    return None


def _wrong_alias(distinct_id: str, alias: str, clusters: Clusters) -> Refusal | None:
    if clusters.target(alias) is not None:
        return Refusal("alias_taken", "the alias already points to another id")
    if clusters.leads_to(distinct_id, alias):
        return Refusal("alias_cycle", "the distinct_id is an alias of the alias, so they would form a circle")
    return None


def _wrong_by_clusters(link: Link, clusters: Clusters) -> Refusal | None:
    first, second = link.nodes
    if link.verb == "identify" and clusters.of(second) is not None:
        return Refusal("anon_id_merged", "the anon_id was linked before, to another person")
    if link.verb == "device":
        if clusters.of(second) is not None:
            return Refusal("other_user", "the device belongs to another user, and two users cannot be merged")
        return None
    size = clusters.size(first) + clusters.size(second)
    if size > MAX_IDS:
        return Refusal("cluster_full", f"together they would have {size} ids, and {MAX_IDS} is the most")
    return None
