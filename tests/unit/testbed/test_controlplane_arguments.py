from pathlib import Path

import pytest
from testbed.controlplane_arguments import (
    AUDIT_POLICY,
    Files,
    Ports,
    Settings,
    etcd,
    kube_apiserver,
    kube_controller_manager,
    kube_scheduler,
)

FILES = Files(Path("/bed"))
PORTS = Ports(etcd=1, etcd_peer=2, api=3, controller_manager=4, scheduler=5)


def test_rbac_and_the_node_authorizer_decide() -> None:
    assert "--authorization-mode=Node,RBAC" in kube_apiserver(FILES, PORTS, Settings())


def test_admission_is_left_at_its_defaults() -> None:
    assert not [flag for flag in kube_apiserver(FILES, PORTS, Settings()) if "admission" in flag]


def test_requests_are_noted_only_when_asked() -> None:
    noted = {"--audit-policy-file=/bed/audit-policy.yaml", "--audit-log-path=/bed/logs/audit.jsonl"}
    assert noted <= {*kube_apiserver(FILES, PORTS, Settings(audit=True))}
    assert not noted & {*kube_apiserver(FILES, PORTS, Settings())}
    assert "level: Metadata" in AUDIT_POLICY


def test_etcd_waits_for_the_disk_only_when_asked() -> None:
    assert "--unsafe-no-fsync" in etcd(FILES, PORTS, Settings())
    assert "--unsafe-no-fsync" not in etcd(FILES, PORTS, Settings(durable=True))


def test_an_address_that_pods_reach_is_published_and_loopback_is_not() -> None:
    loopback, bridge = (kube_apiserver(FILES, PORTS, Settings(address=each)) for each in ("127.0.0.1", "10.1.0.1"))
    assert "--endpoint-reconciler-type=none" in loopback
    assert not [flag for flag in bridge if "reconciler" in flag]
    assert {"--bind-address=10.1.0.1", "--advertise-address=10.1.0.1"} <= {*bridge}


def test_nodes_get_pod_addresses_only_when_there_are_some() -> None:
    with_nodes = kube_controller_manager(FILES, PORTS, Settings(pod_cidr="10.244.0.0/16"))
    assert {"--allocate-node-cidrs=true", "--cluster-cidr=10.244.0.0/16"} <= {*with_nodes}
    assert not [flag for flag in kube_controller_manager(FILES, PORTS, Settings()) if "cidr" in flag]


@pytest.mark.parametrize(("arguments", "port"), [(kube_controller_manager, 4), (kube_scheduler, 5)])
def test_components_are_clients_with_a_port_of_their_own(arguments: object, port: int) -> None:
    assert callable(arguments)
    flags = arguments(FILES, PORTS, Settings())
    assert {f"--secure-port={port}", "--leader-elect=false", "--bind-address=127.0.0.1"} <= {*flags}
