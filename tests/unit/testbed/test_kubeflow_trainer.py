from typing import Any

from testbed.kubeflow_trainer import OVERLAY, on_ports, shipped_settings

SHIPPED = """
health:
  healthProbeBindAddress: :8081
  readinessEndpointName: readyz
controller:
  groupKindConcurrency:
    TrainJob.trainer.kubeflow.org: 5
certManagement:
  enable: true
  webhookSecretName: secret
"""


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_the_settings_are_those_of_upstream() -> None:
    manifests = [
        {"kind": "Deployment", "metadata": {"name": "kubeflow-trainer-config"}},
        config_map("kubeflow-trainer-public", version="v1"),
        config_map("kubeflow-trainer-config", **{"controller_manager_config.yaml": SHIPPED}),
    ]
    found = shipped_settings(manifests)
    assert found["controller"] == {"groupKindConcurrency": {"TrainJob.trainer.kubeflow.org": 5}}
    assert found["health"]["readinessEndpointName"] == "readyz"


def test_what_a_program_alone_on_loopback_needs_is_changed_and_the_rest_stays() -> None:
    shipped = {
        "controller": {"groupKindConcurrency": {"TrainJob": 5}},
        "health": {"healthProbeBindAddress": ":8081", "readinessEndpointName": "readyz"},
        "certManagement": {"enable": True, "webhookSecretName": "secret"},
    }
    found = on_ports(shipped, 1, 2, 3)
    assert found == {
        "controller": shipped["controller"],
        "health": {"healthProbeBindAddress": "127.0.0.1:2", "readinessEndpointName": "readyz"},
        "certManagement": {"enable": False, "webhookSecretName": "secret"},
        "webhook": {"host": "127.0.0.1", "port": 1},
        "metrics": {"bindAddress": "127.0.0.1:3"},
        "leaderElection": {"leaderElect": False},
    }
    assert shipped["certManagement"]["enable"] is True


def test_nothing_is_fetched_by_a_url() -> None:
    assert not [part for part in OVERLAY["resources"] if "jobset" in part or "://" in part]
