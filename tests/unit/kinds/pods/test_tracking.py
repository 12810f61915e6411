"""Keys of trackers come by reference, and only to the container that trains."""

from typing import Any


def test_only_the_training_container_gets_keys_and_they_are_in_no_document(world: Any, documents: Any) -> None:
    secret = {"secretRef": {"name": "keys"}}
    asked = {"mlflow": {"trackingUri": "http://m", **secret}, "wandb": secret, "swanlab": {"mode": "offline"}}
    world.add(documents["FineTuneJob"], training={"reportTo": asked})
    *_, job = world.reconcile("FineTuneJob").desired
    spec = job["spec"]["template"]["spec"]
    (train,) = spec["containers"]
    found = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in train["env"] if "secretKeyRef" in str(one)}
    assert found == {
        "MLFLOW_TRACKING_TOKEN": {"name": "keys", "key": "MLFLOW_TRACKING_TOKEN", "optional": True},
        "MLFLOW_TRACKING_USERNAME": {"name": "keys", "key": "MLFLOW_TRACKING_USERNAME", "optional": True},
        "MLFLOW_TRACKING_PASSWORD": {"name": "keys", "key": "MLFLOW_TRACKING_PASSWORD", "optional": True},
        "WANDB_API_KEY": {"name": "keys", "key": "WANDB_API_KEY"},
    }
    assert not [one for one in spec["initContainers"] if "secretKeyRef" in str(one)]
