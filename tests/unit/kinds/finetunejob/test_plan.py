from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet.api.v1alpha1.finetunejob import FineTuneJob
from swiftlet.kinds.finetunejob.plan import LARGEST_CHOSEN_BATCH, Layout, plan_layout


def document(world: Any) -> dict[str, Any]:
    return dict(world.job_document("bird-train"))


@pytest.mark.parametrize(
    ("spec", "strategy", "per_device", "accumulation"),
    [
        ({}, "ddp", 8, 1),
        ({"training": {"globalBatchSize": 64}}, "ddp", 8, 8),
        ({"training": {"globalBatchSize": 14}}, "ddp", 7, 2),
        ({"training": {"globalBatchSize": 11}}, "ddp", 1, 11),
        ({"training": {"globalBatchSize": 64, "perDeviceBatchSize": 16}}, "ddp", 16, 4),
        ({"parallelism": {"nodes": 2}}, "zero2", 4, 1),
        ({"parallelism": {"nodes": 2, "strategy": "ddp"}}, "ddp", 4, 1),
        ({"parallelism": {"nodes": 2, "strategy": "zero3"}, "compute": {"gpus": 4}}, "zero3", 1, 1),
        ({"parallelism": {"processesPerNode": 2, "strategy": "zero1"}}, "zero1", 4, 1),
    ],
)
def test_layout(
    world: Any, documents: Any, spec: dict[str, Any], strategy: str, per_device: int, accumulation: int
) -> None:
    world.add(documents["FineTuneJob"], **spec)
    world.reconcile("FineTuneJob")
    said = document(world)
    assert said["strategy"] == strategy
    assert said["perDeviceBatchSize"] == per_device
    assert said["gradientAccumulationSteps"] == accumulation
    world_size = said["nodes"] * said["processesPerNode"]
    assert said["training"]["globalBatchSize"] == world_size * per_device * accumulation
    assert world.status("FineTuneJob")["plan"] == {
        "worldSize": world_size,
        "strategy": strategy,
        "perDeviceBatchSize": per_device,
        "gradientAccumulationSteps": accumulation,
    }


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            {"parallelism": {"nodes": 3}},
            "globalBatchSize 8 is not divisible by 3 (3 nodes x 1 processes); use 6 or 9",
        ),
        (
            {"parallelism": {"nodes": 2}, "training": {"perDeviceBatchSize": 8}},
            "globalBatchSize 8 is not divisible by 16 (2 nodes x 1 processes x 8 rows per process); use 16",
        ),
        (
            {"parallelism": {"processesPerNode": 4}, "compute": {"gpus": 2}},
            "processesPerNode 4 is more than spec.compute.gpus 2",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_the_numbers(
    world: Any, documents: Any, spec: dict[str, Any], said: str
) -> None:
    world.add(documents["FineTuneJob"], **spec)
    outcome = world.reconcile("FineTuneJob")
    assert outcome.desired == []
    status, reason, message = world.condition("FineTuneJob", "Accepted")
    assert (status, reason) == ("False", "InvalidPlan")
    assert said in message
    assert world.condition("FineTuneJob", "Succeeded")[:2] == ("False", "InvalidPlan")


def test_paths_of_model_data_and_output(world: Any, documents: Any) -> None:
    profile = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile", "metadata": {"name": "default"}}
    world.add(profile, storage={"modelsClaim": "models"})
    datasets = [
        {"uri": "configmap://bird-data/train.jsonl"},
        {"uri": "pvc://rows/some/where.parquet"},
        {"uri": "hf://org/rows@v1/data/train.csv"},
    ]
    world.add(documents["FineTuneJob"], model={"uri": "hf://org/model@v2"}, datasets=datasets)
    world.reconcile("FineTuneJob")
    said = document(world)
    assert said["model"] == {"uri": "hf://org/model@v2", "path": "/swiftlet/models/org/model@v2"}
    assert [data["path"] for data in said["datasets"]] == [
        "/swiftlet/data/0/train.jsonl",
        "/swiftlet/data/1/some/where.parquet",
        "/swiftlet/models/org/rows@v1/data/train.csv",
    ]
    uid = world.objects["FineTuneJob", "default", "bird"]["metadata"]["uid"][:8]
    assert said["outputDir"] == "/swiftlet/output"
    assert said["artifactUri"] == f"pvc://swiftlet-artifacts/default/finetunejobs/bird-{uid}/artifact"


def test_a_model_of_the_hub_is_loaded_by_name_when_there_is_no_mirror(world: Any, documents: Any) -> None:
    world.add(documents["FineTuneJob"], model={"uri": "hf://org/model@v2"})
    world.reconcile("FineTuneJob")
    assert document(world)["model"] == {"uri": "hf://org/model@v2", "repoId": "org/model", "revision": "v2"}


def test_jobs_that_share_a_network_meet_on_different_ports(world: Any, documents: Any) -> None:
    ports = set()
    for name in ("bird", "fish"):
        world.add({**documents["FineTuneJob"], "metadata": {"name": name}})
        world.reconcile("FineTuneJob", name)
        pod = world.objects["Job", "default", f"{name}-train-0"]["spec"]["template"]["spec"]
        ports |= {int(e["value"]) for e in pod["containers"][0]["env"] if e["name"] == "PET_MASTER_PORT"}
    assert len(ports) == 2
    assert all(20000 <= port < 30000 for port in ports)


@given(st.integers(1, 4096), st.integers(1, 32), st.integers(1, 8), st.one_of(st.none(), st.integers(1, 64)))
def test_every_layout_makes_the_global_batch_exactly(
    batch: int, nodes: int, processes: int, per_device: int | None
) -> None:
    spec = {
        "model": {"uri": "hf://a/b"},
        "datasets": [{"uri": "configmap://a/b.jsonl"}],
        "training": {"globalBatchSize": batch, "perDeviceBatchSize": per_device},
        "parallelism": {"nodes": nodes, "processesPerNode": processes},
    }
    job = FineTuneJob.model_validate({"kind": "FineTuneJob", "metadata": {"name": "bird"}, "spec": spec})
    found = plan_layout(job)
    fits = batch % (nodes * processes * (per_device or 1)) == 0
    assert isinstance(found, Layout) is fits
    if isinstance(found, Layout):
        assert found.world_size * found.per_device_batch_size * found.gradient_accumulation_steps == batch
        assert found.per_device_batch_size == per_device or found.per_device_batch_size <= LARGEST_CHOSEN_BATCH
