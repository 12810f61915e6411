"""The network block of a ComputeProfile, for runs and servers whose processes talk to each other."""

from typing import Any

from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec, Network
from swiftlet.kinds.frame.capabilities import Capabilities

MULTUS = "k8s.v1.cni.cncf.io/networks"


def fabric_of(profile: ComputeProfileSpec, capabilities: Capabilities, nodes: int, gpus: int) -> Network | None:
    """The network to set up: None for a lone process, and where pods share the network of one machine."""
    return profile.network if not capabilities.shared_network and (nodes > 1 or gpus > 1) else None


def fabric_note(profile: ComputeProfileSpec, capabilities: Capabilities) -> str:
    """What people are told where the block is set and cannot be used."""
    if profile.network is None or not capabilities.shared_network:
        return ""
    return "spec.network of the ComputeProfile is not used: pods share the network of this machine"


def fabric_env(network: Network | None, gpus: int) -> list[dict[str, Any]]:
    """Settings of NCCL and gloo. Source: NCCL environment variables; torch, ProcessGroupGloo."""
    if network is None:
        return []
    interface = network.socket_interface
    values = {"GLOO_SOCKET_IFNAME": interface, "NCCL_SOCKET_IFNAME": f"={interface}"} if interface else {}
    if gpus:
        values |= {variable.name: variable.value for variable in network.nccl_env}
    return [{"name": name, "value": value} for name, value in values.items()]


def fabric_resources(
    network: Network | None, nodes: int, resources: dict[str, dict[str, str]]
) -> dict[str, dict[str, str]]:
    """`resources` of the training container with its RDMA devices, which only pods on several nodes need."""
    if network is None or network.rdma is None or nodes == 1:
        return resources
    devices = {network.rdma.resource_name: str(network.rdma.count)}
    return {**resources, "limits": {**resources.get("limits", {}), **devices}}


def fabric_annotations(network: Network | None) -> dict[str, str]:
    """Annotations of the pods."""
    return {MULTUS: ",".join(network.attachments)} if network and network.attachments else {}
