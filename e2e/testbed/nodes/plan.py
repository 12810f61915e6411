"""Addresses of a bed's networks, and the `ip` commands that make them. Pure functions.

     machine's namespace      the bed's namespace: no route out           one namespace per node
    ┌───────────────────┐    ┌────────────────────────────────────┐    ┌─────────────────────────┐
    │ tests   10.223.K.254───│ bridge 10.223.K.1: control plane,  │────│ eth0 10.223.K.11        │
    └───────────────────┘    │ CoreDNS                            │    │ pods 10.244.1.0/24      │
                             └────────────────────────────────────┘    └─────────────────────────┘

Every bed has the same pod and service addresses, since nobody outside reaches them; K sets the beds apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from testbed.controlplane_arguments import SERVICE_CIDR

POD_CIDR = "10.244.0.0/16"
BRIDGE = "nodes"
MACHINE_END = "machine"
"""Name, inside the bed, of its link to the machine."""
MAX_NODES = 100


@dataclass(frozen=True)
class NodePlan:
    """One node's name and addresses."""

    name: str
    address: str
    pod_cidr: str

    @property
    def link(self) -> str:
        """Its end of the cable, inside the bed's namespace."""
        return f"to-{self.name}"


@dataclass(frozen=True)
class Plan:
    """A bed's network."""

    subnet: int
    """K of the picture, 0 to 255."""
    link: str
    """Network interface of the machine that leads into the bed; at most 15 characters."""
    nodes: tuple[NodePlan, ...]

    @property
    def address(self) -> str:
        """Where the API server and the DNS server listen."""
        return f"10.223.{self.subnet}.1"

    @property
    def machine_address(self) -> str:
        """The machine's address on the bed's network."""
        return f"10.223.{self.subnet}.254"


def plan(subnet: int, link: str, count: int) -> Plan:
    """Nodes `node-1`, `node-2`, … Raises ValueError for a number of nodes that the subnet does not hold."""
    if not 1 <= count <= MAX_NODES:
        raise ValueError(f"nodes: {count} is not between 1 and {MAX_NODES}")
    nodes = [
        NodePlan(f"node-{number}", f"10.223.{subnet}.{10 + number}", f"10.244.{number}.0/24")
        for number in range(1, count + 1)
    ]
    return Plan(subnet, link, tuple(nodes))


def free_subnet(addresses: Sequence[str], preferred: int) -> int:
    """The first K, from `preferred` on and around, that none of the machine's addresses is in.

    Raises ValueError when all are taken.
    """
    taken = {address.split(".")[2] for address in addresses if address.startswith("10.223.")}
    for offset in range(256):
        if str(subnet := (preferred + offset) % 256) not in taken:
            return subnet
    raise ValueError("all of 10.223.0.0/16 is in use: end some beds (`python -m testbed down --all`)")


def bed_commands(plan: Plan) -> list[str]:
    """What makes the bridge, inside the bed's namespace."""
    return [
        "link set lo up",
        f"link add {BRIDGE} type bridge",
        f"addr add {plan.address}/24 dev {BRIDGE}",
        f"link set {BRIDGE} up",
    ]


def machine_commands(plan: Plan, bed_pid: int) -> list[str]:
    """What joins the machine to the bed, inside the machine's namespace. No route: nothing is forwarded either way."""
    return [
        f"link add {plan.link} type veth peer name {MACHINE_END} netns {bed_pid}",
        f"addr add {plan.machine_address}/24 dev {plan.link}",
        f"link set {plan.link} up",
    ]


def cable_commands(plan: Plan, node_pids: Sequence[int]) -> list[str]:
    """What joins machine and nodes to the bridge, inside the bed's namespace, with the way to each node's pods."""
    commands = [f"link set {MACHINE_END} master {BRIDGE}", f"link set {MACHINE_END} up"]
    for node, pid in zip(plan.nodes, node_pids, strict=True):
        commands += [
            f"link add {node.link} type veth peer name eth0 netns {pid}",
            f"link set {node.link} master {BRIDGE}",
            f"link set {node.link} up",
            f"route add {node.pod_cidr} via {node.address}",
        ]
    return commands


def node_commands(plan: Plan, node: NodePlan) -> list[str]:
    """What addresses a node, inside its namespace."""
    others = [f"route add {other.pod_cidr} via {other.address}" for other in plan.nodes if other != node]
    return [
        "link set lo up",
        f"addr add {node.address}/24 dev eth0",
        "link set eth0 up",
        # A packet to a service needs a route before kube-proxy's rules send it to a pod instead.
        f"route add {SERVICE_CIDR} dev eth0",
        *others,
    ]
