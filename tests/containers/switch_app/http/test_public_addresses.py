"""Which addresses a customer's URL may lead to."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switch_app.http.public_addresses import is_allowed

REFUSED = [
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::a00:1",
    "2002:a00:1::",
    "2001:0:1:2::3",
    "",
    "localhost",
]
TAKEN = ["8.8.8.8", "27.109.112.140", "172.32.0.1", "100.128.0.1", "2600:1f18::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_of_the_inside_is_refused(address: str) -> None:
    assert not is_allowed(address)


@pytest.mark.parametrize("address", TAKEN)
def test_a_public_address_is_taken(address: str) -> None:
    assert is_allowed(address)


def test_a_setting_lets_a_private_network_be_reached_and_no_other() -> None:
    allowed = [ip_network("10.1.0.0/16")]
    assert is_allowed("10.1.2.3", allowed)
    assert is_allowed("::ffff:10.1.2.3", allowed)
    assert not is_allowed("10.2.2.3", allowed)


@given(st.ip_addresses(v=4))
def test_an_address_in_ipv6_clothes_is_judged_like_itself(address: object) -> None:
    number = int(ip_address(str(address)))
    mapped = IPv6Address((0xFFFF << 32) | number)
    assert is_allowed(str(mapped)) == is_allowed(str(address))
    sixtofour = IPv6Address((0x2002 << 112) | (number << 80))
    assert is_allowed(str(sixtofour)) == is_allowed(str(address))


@given(st.ip_addresses(v=4))
def test_what_python_knows_to_be_private_is_refused(address: IPv4Address) -> None:
    if address.is_private or address.is_link_local or address.is_loopback or address.is_multicast:
        assert not is_allowed(str(address))
