"""What somebody wants of a subscription, and whether it can be had."""

import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from app.feed.filter import EventFilter, InvalidFilter
from app.feed.merging import LARGEST_BATCH
from app.subscriptions.addresses import AddressPolicy
from app.subscriptions.subscription import DEFAULT_BATCH

MOST_URL: Final = 2_000
MOST_COHORTS: Final = 100
MOST_RATE: Final = 1_000.0
LEAST_RATE: Final = 0.01


class InvalidWish(ValueError):  # noqa: N818 - named as the edge's other errors are
    """Something that cannot be had.

    Args:
        field: of the wish.
        detail: what is wrong, for a person.
    """

    def __init__(self, field: str, detail: str) -> None:
        self.field = field
        self.detail = detail
        super().__init__(f"{field}: {detail}")


@dataclass(frozen=True, slots=True)
class Wish:
    """What an owner can choose, now and later.

    Attributes:
        url: where to.
        types: names or patterns of events; none for all.
        cohorts: ids, or patterns of names; none for all.
        batch: members in a message at most.
        rate: messages a second at most; 0 for as fast as they are taken.
        description: for people.
    """

    url: str
    types: Sequence[str] = ()
    cohorts: Sequence[str] = ()
    batch: int = DEFAULT_BATCH
    rate: float = 0.0
    description: str = ""

    def checked(self, policy: AddressPolicy, *, plain_http: bool) -> EventFilter:
        """Return what it wants to be told.

        Args:
            policy: which addresses may be called.
            plain_http: whether `http` will do.

        Raises:
            InvalidWish: it cannot be had.
        """
        _check_url(self.url, policy, plain_http=plain_http)
        if not 1 <= self.batch <= LARGEST_BATCH:
            raise InvalidWish("batch", f"must be from 1 to {LARGEST_BATCH}")
        if self.rate and not LEAST_RATE <= self.rate <= MOST_RATE:
            raise InvalidWish(
                "rate", f"must be from {LEAST_RATE:g} to {MOST_RATE:g} messages a second, or 0 for no limit"
            )
        if len(self.cohorts) > MOST_COHORTS:
            raise InvalidWish("cohorts", f"must be at most {MOST_COHORTS}; patterns can stand for many")
        try:
            return EventFilter.parse(self.types, self.cohorts)
        except InvalidFilter as error:
            raise InvalidWish("types", str(error)) from None


def _check_url(url: str, policy: AddressPolicy, *, plain_http: bool) -> None:
    schemes = ("https", "http") if plain_http else ("https",)
    wanted = f"must be a URL that begins with {' or '.join(f'{each}://' for each in schemes)}"
    if len(url) > MOST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise InvalidWish("url", f"{wanted}, of at most {MOST_URL} printable ASCII characters")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InvalidWish("url", wanted) from None
    if parts.scheme not in schemes or not host:
        raise InvalidWish("url", wanted)
    if parts.username is not None or parts.password is not None:
        raise InvalidWish("url", "must hold no user and password: the signature says who sends")
    if parts.fragment:
        raise InvalidWish("url", "must have no fragment (#...): it is never sent")
    _check_written_address(host, policy)


def _check_written_address(host: str, policy: AddressPolicy) -> None:
    """Refuse at once what is written as an address; names are looked up, and judged, at every connection."""
    try:
        host.encode("idna")
    except UnicodeError:
        raise InvalidWish("url", "must name a host that can be looked up") from None
    with suppress(OSError):
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        if not policy.permits(ip_address(str(found[0][4][0]).partition("%")[0])):
            raise InvalidWish(
                "url", "leads to an address that is not public; SUBSCRIBER_NETWORKS can allow it"
            )
