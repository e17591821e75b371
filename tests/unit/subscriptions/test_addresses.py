import socket
from ipaddress import ip_address, ip_network

import pytest

from app.subscriptions.addresses import AddressPolicy, AddressRefused, resolve


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.0.9",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "0.1.2.3",
        "198.18.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd12:3456::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::10.0.0.1",
        "2002:7f00:1::1",
        "2002:0a00:1::1",
        "2001:0:a00:1::1",
    ],
)
def test_an_address_that_is_not_public_however_it_is_written_may_not_be_called(address: str) -> None:
    assert not AddressPolicy().permits(ip_address(address))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_a_public_address_may_be_called(address: str) -> None:
    assert AddressPolicy().permits(ip_address(address))


def test_a_network_that_is_allowed_may_be_called_in_every_writing_and_no_other() -> None:
    policy = AddressPolicy([ip_network("10.1.0.0/16")])
    assert policy.permits(ip_address("10.1.2.3"))
    assert policy.permits(ip_address("::ffff:10.1.2.3"))
    assert not policy.permits(ip_address("10.2.0.1"))
    assert not policy.permits(ip_address("2002:0a01:0203::1"))


def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    with pytest.raises(AddressRefused, match="not public") as refused:
        AddressPolicy().choose([(socket.AF_INET, "8.8.8.8"), (socket.AF_INET, "10.9.8.7")])
    assert "10.9.8.7" not in str(refused.value)


def test_a_scoped_address_is_judged_without_its_scope() -> None:
    with pytest.raises(AddressRefused):
        AddressPolicy().choose([(socket.AF_INET6, "fe80::1%lo")])


def test_a_host_without_addresses_is_refused() -> None:
    with pytest.raises(AddressRefused, match="no address"):
        AddressPolicy().choose([])


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost"])
def test_every_writing_of_loopback_is_looked_up_and_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        AddressPolicy().choose(resolve(host, 443))
