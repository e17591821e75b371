"""Which addresses a subscriber's URL may lead to: public ones, and what the configuration allows.

Without this, whoever may subscribe could make the relay call services that only it can reach: its own Redis,
a cloud's metadata address, whatever listens on loopback (server-side request forgery).
"""

import socket
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
Found = tuple[int, str]
"""An address family of `socket`, and an address as text (an IPv6 one perhaps with `%scope`)."""

Resolver = Callable[[str, int], Sequence[Found]]

_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: how a host without IPv4 reaches one with it
_SITE_LOCAL: Final = IPv6Network("fec0::/10")  # RFC 3879


class AddressRefused(Exception):  # noqa: N818 - what happened, not a fault of the program
    """A host's name leads to an address that must not be called."""


class AddressPolicy:
    """Say which addresses may be called.

    Args:
        allowed: networks that may be called although they are not public.
    """

    def __init__(self, allowed: Iterable[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def permits(self, address: Address) -> bool:
        """Say whether an address may be called, and the one that it tunnels to."""
        meant = _meant(address)
        if any(meant in network for network in self._allowed):
            return True
        return _is_public(meant) and all(map(_is_public, _tunnelled(meant)))

    def choose(self, found: Sequence[Found]) -> Sequence[Found]:
        """Return the addresses of a host, if all of them may be called.

        One that may not be refuses the host: a name that mixes public and private addresses is a mistake or
        an attempt.

        Raises:
            AddressRefused: one of them may not. The message names the kind of address, not the address: that
                would tell a subscriber about the network inside.
        """
        if not found:
            raise AddressRefused("the name has no address")
        for _, text in found:
            if not self.permits(ip_address(text.partition("%")[0])):
                raise AddressRefused(
                    "the host leads to an address that is not public (loopback, private, link-local, ...)"
                )
        return found


def resolve(host: str, port: int) -> Sequence[Found]:
    """Look a host up, in whatever form it is written (a name, dotted, decimal or hexadecimal digits).

    Raises:
        OSError: it could not be looked up.
    """
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(int(family), str(address[0])) for family, _, _, _, address in answers]


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address is another writing of, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    return IPv4Address(address.packed[-4:]) if address in _NAT64 else address


def _tunnelled(address: Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses to which packets for an IPv6 address can be handed on."""
    if isinstance(address, IPv4Address):
        return ()
    return (*filter(None, [address.sixtofour]), *(address.teredo or ()))


def _is_public(address: Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
        and address not in _SITE_LOCAL
    )
