import ipaddress

import pytest
from testbed.nodes.plan import (
    bed_commands,
    cable_commands,
    free_subnet,
    machine_commands,
    node_commands,
    plan,
)

TWO = plan(7, "sw0123456789", 2)


def test_nodes_have_names_addresses_and_ranges_of_their_own() -> None:
    first, second = TWO.nodes
    assert (first.name, first.address, first.pod_cidr) == ("node-1", "10.223.7.11", "10.244.1.0/24")
    assert (second.name, second.address, second.pod_cidr) == ("node-2", "10.223.7.12", "10.244.2.0/24")


@pytest.mark.parametrize("count", [1, 100])
def test_every_address_is_its_own(count: int) -> None:
    many = plan(0, "link", count)
    addresses = [many.address, many.machine_address, *(node.address for node in many.nodes)]
    assert len(set(addresses)) == count + 2
    assert all(ipaddress.ip_address(each) in ipaddress.ip_network("10.223.0.0/24") for each in addresses)


@pytest.mark.parametrize("count", [0, 101])
def test_a_number_of_nodes_that_does_not_fit_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"nodes: {count} is not between 1 and 100"):
        plan(0, "link", count)


def test_interface_names_fit_the_kernel() -> None:
    names = [node.link for node in plan(0, "link", 100).nodes]
    assert max(map(len, names)) <= 15


def test_nobody_gets_a_way_out() -> None:
    commands = [*bed_commands(TWO), *machine_commands(TWO, 1), *cable_commands(TWO, [2, 3])]
    commands += [command for node in TWO.nodes for command in node_commands(TWO, node)]
    routes = [command.split()[2] for command in commands if command.startswith("route add")]
    assert set(routes) == {"10.244.1.0/24", "10.244.2.0/24", "10.96.0.0/16"}


def test_a_node_knows_the_way_to_the_pods_of_the_others() -> None:
    first, second = TWO.nodes
    assert "route add 10.244.2.0/24 via 10.223.7.12" in node_commands(TWO, first)
    assert "route add 10.244.1.0/24 via 10.223.7.11" in node_commands(TWO, second)
    assert not any("10.244.1.0" in command for command in node_commands(TWO, first))


@pytest.mark.parametrize(
    ("addresses", "preferred", "expected"),
    [([], 9, 9), (["10.223.9.254"], 9, 10), (["10.223.255.1", "10.223.0.1"], 255, 1), (["10.9.9.9"], 9, 9)],
)
def test_the_subnet_is_one_that_nobody_uses(addresses: list[str], preferred: int, expected: int) -> None:
    assert free_subnet(addresses, preferred) == expected


def test_no_subnet_left_is_told() -> None:
    with pytest.raises(ValueError, match="down --all"):
        free_subnet([f"10.223.{number}.1" for number in range(256)], 0)
