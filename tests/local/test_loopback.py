"""Every host of a run has an address of its own on loopback."""

import ipaddress

import pytest

from local.errors import LocalError
from local.loopback import LoopbackHosts


def test_hosts_tasks_and_instances_have_networks_of_their_own() -> None:
    hosts = LoopbackHosts("127.20.4.0/22")
    assert (hosts.tasks, hosts.instances, hosts.others) == ("127.20.4.0/24", "127.20.5.0/24", "127.20.6.0/24")
    drawn = [hosts.address() for _ in range(20)]
    assert len(set(drawn)) == 20
    assert all(ipaddress.ip_address(address) in ipaddress.ip_network(hosts.others) for address in drawn)


def test_a_network_that_is_drawn_is_loopback() -> None:
    assert all(ipaddress.ip_address(LoopbackHosts().address()).is_loopback for _ in range(50))


@pytest.mark.parametrize("network", ["10.0.0.0/22", "127.0.0.0/24", "127.0.0.1/22", "nothing"])
def test_what_is_no_such_network_is_named(network: str) -> None:
    with pytest.raises(LocalError, match=network.replace(".", r"\.")):
        LoopbackHosts(network)
