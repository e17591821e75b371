"""Link ids: decide as the project's identity system does, join clusters, and carry profiles over.

A link that is there already changes nothing, however often it comes. Nothing is ever taken apart.
"""

import hashlib
import uuid
from collections.abc import Sequence

from app.sandbox.config import Controls, IdManagement
from app.sandbox.identity.merging import merged
from app.sandbox.identity.systems import CREATE_ALIAS, DEVICE, IDENTIFY, refusal_of
from app.sandbox.identity.verbs import Link
from app.sandbox.store.database import Database
from app.sandbox.store.identities import Identities
from app.sandbox.store.links import LinkRecord, Links
from app.sandbox.store.profiles import Profiles, Properties

UUID_VERSION = 4
Pair = tuple[str, str]  # device node, user id


class Linker:
    """The identity system of the project."""

    def __init__(
        self,
        *,
        system: IdManagement,
        database: Database,
        identities: Identities,
        links: Links,
        profiles: Profiles,
        controls: Controls,
        seed: int,
    ) -> None:
        self.system = system
        self._database = database
        self._identities = identities
        self._links = links
        self._profiles = profiles
        self._controls = controls
        self._seed = seed

    def link(self, link: Link, now_ms: int, *, may_merge: bool = True) -> str | None:
        """Carry out an identity verb, if the system allows it.

        Args:
            link: What is to be linked.
            now_ms: The sandbox's time.
            may_merge: Whether it came in a way that `$merge` is accepted on.

        Returns:
            Why nothing was linked; None if the two are one person now.
        """
        with self._database.transaction():
            first, second = (self._identities.canonical(one) for one in (link.first, link.second))
            reason = refusal_of(link.verb, self.system) or self._forbidden(link, first, second, may_merge)
            outcome = "refused" if reason else "repeated" if first == second else "merged"
            if reason is None and link.verb == CREATE_ALIAS:
                self._identities.set_alias(link.second, link.first)
            if outcome == "merged":
                self._join(*self._ranked(first, second))
            self._links.add([LinkRecord(link.verb, link.first, link.second, outcome, reason or "", now_ms)])
        return reason

    def devices(self, pairs: Sequence[Pair], now_ms: int) -> None:
        """Link devices to the users seen on them, in order; a device stays with its first user.

        A repeated link is not noted in the log: every event of a known device names both.
        """
        with self._database.transaction():
            owners = self._identities.resolved({device for device, _ in pairs})
            noted: list[LinkRecord] = []
            for device, user in dict.fromkeys(pairs):
                owner = owners.get(device)
                if owner is None:
                    owners[device] = user
                    self._join(user, device)
                    noted.append(LinkRecord(DEVICE, user, device, "merged", received_ms=now_ms))
                elif owner != user:
                    reason = "the device belongs to another user, and two users never merge"
                    noted.append(LinkRecord(DEVICE, user, device, "refused", reason, now_ms))
            self._links.add(noted)

    def _forbidden(self, link: Link, first: str, second: str, may_merge: bool) -> str | None:
        if link.verb == IDENTIFY and not _is_uuid4(link.second):
            return "'$anon_id' must be a UUID v4"
        if not (may_merge or link.verb in {IDENTIFY, CREATE_ALIAS}):
            return "$merge is accepted through /import with a service account or the project secret only"
        if first == second:
            circle = self.system == "legacy" and link.second == second
            return "'alias' would point in a circle" if circle else None
        if link.verb == IDENTIFY and self._identities.size(second) > 1:
            return "'$anon_id' was merged before"
        if link.verb == CREATE_ALIAS and self._identities.alias_target(link.second) is not None:
            return "'alias' maps to another distinct_id already"
        return self._overfull(first, second)

    def _overfull(self, first: str, second: str) -> str | None:
        most = self._controls.limits.max_cluster
        size = self._identities.size(first) + self._identities.size(second)
        if self.system == "original" and size > most:
            return f"the cluster would have {size} ids, more than {most}"
        return None

    def _ranked(self, first: str, second: str) -> Pair:
        """Return the id that will stand for the person, and the one that gives way.

        A legacy alias gives way to what it was created for. An original project's choice is Mixpanel's own
        and not foreseeable: here, by the digest, whatever the order in which links come.
        """
        if self.system == "legacy":
            return first, second
        winner, loser = sorted((first, second), key=self._digest)
        return winner, loser

    def _digest(self, distinct_id: str) -> bytes:
        return hashlib.sha256(f"{self._seed}:{distinct_id}".encode()).digest()

    def _join(self, winner: str, loser: str) -> None:
        self._identities.join(winner, loser)
        gone, kept = self._profiles.get(loser), self._profiles.get(winner)
        if gone is None:
            return
        changed: dict[str, Properties | None] = {loser: None}
        dropped = self.system == "simplified" and self._controls.api.device_profiles == "dropped"
        if not dropped:
            changed[winner] = gone.properties if kept is None else merged(kept, gone)
        updated_ms = max(gone.updated_ms, 0 if kept is None else kept.updated_ms)
        self._profiles.write(changed, updated_ms)


def _is_uuid4(value: str) -> bool:
    try:
        parsed = uuid.UUID(value)
    except ValueError:
        return False
    return str(parsed) == value.lower() and parsed.version == UUID_VERSION
