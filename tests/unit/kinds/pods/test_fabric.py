from typing import Any

import pytest
from swiftlet.kinds import Capabilities

PROFILE = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile", "metadata": {"name": "default"}}
NETWORK = {
    "socketInterface": "net1",
    "ncclEnv": [{"name": "NCCL_IB_HCA", "value": "mlx5"}],
    "rdma": {"resourceName": "rdma/hca", "count": 2},
    "attachments": ["fast", "net/slow@net2"],
}


def template(world: Any, documents: Any, **spec: Any) -> dict[str, Any]:
    world.add(PROFILE, network=NETWORK)
    world.add(documents["FineTuneJob"], **spec)
    world.reconcile("FineTuneJob")
    return dict(world.objects["Job", "default", "bird-train-0"]["spec"]["template"])


def parts(found: dict[str, Any]) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """(variables, limits, annotations) of the pods."""
    train = found["spec"]["containers"][0]
    env = {entry["name"]: entry.get("value", "") for entry in train["env"]}
    fabric = {name: value for name, value in env.items() if name.startswith(("NCCL_", "GLOO_"))}
    annotations = {key: text for key, text in found["metadata"]["annotations"].items() if "cni" in key}
    return fabric, train.get("resources", {}).get("limits", {}), annotations


def test_several_nodes_with_gpus_get_all_of_it(world: Any, documents: Any) -> None:
    env, limits, annotations = parts(template(world, documents, parallelism={"nodes": 2}, compute={"gpus": 4}))
    assert env == {"GLOO_SOCKET_IFNAME": "net1", "NCCL_SOCKET_IFNAME": "=net1", "NCCL_IB_HCA": "mlx5"}
    assert limits == {"nvidia.com/gpu": "4", "rdma/hca": "2"}
    assert annotations == {"k8s.v1.cni.cncf.io/networks": "fast,net/slow@net2"}


@pytest.mark.parametrize(
    ("spec", "has_nccl", "limits"),
    [
        ({"parallelism": {"nodes": 2}}, False, {"rdma/hca": "2"}),
        ({"compute": {"gpus": 4}}, True, {"nvidia.com/gpu": "4"}),
    ],
)
def test_what_a_run_has_no_use_for_is_left_out(
    world: Any, documents: Any, spec: dict[str, Any], has_nccl: bool, limits: dict[str, str]
) -> None:
    env, found, _ = parts(template(world, documents, **spec))
    assert ("NCCL_IB_HCA" in env, found) == (has_nccl, limits)


def test_a_lone_process_needs_no_fabric(world: Any, documents: Any) -> None:
    assert parts(template(world, documents)) == ({}, {}, {})


def test_where_pods_share_a_network_it_is_left_out_and_said(world: Any, documents: Any) -> None:
    world.capabilities = Capabilities(provisions_claims=True, shared_network=True)
    assert parts(template(world, documents, parallelism={"nodes": 2})) == ({}, {}, {})
    message = world.condition("FineTuneJob", "Accepted")[2]
    assert "spec.network of the ComputeProfile is not used" in message
