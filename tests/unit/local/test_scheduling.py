"""Whether a pod fits on the machine."""

import os
from pathlib import Path
from typing import Any

import pytest
from swiftlet.local.scheduling import GPU, Machine, requests_of, shortage, this_machine

MACHINE = Machine({"cpu": 4.0, "memory": 8 * 2.0**30, GPU: 1.0}, ("0",))


def spec(*containers: dict[str, str], init: dict[str, str] | None = None, kind: str = "requests") -> dict[str, Any]:
    made: dict[str, Any] = {"containers": [{"resources": {kind: amounts}} for amounts in containers]}
    if init:
        made["initContainers"] = [{"resources": {kind: init}}]
    return made


def test_a_pod_needs_its_containers_together_or_the_largest_init_container() -> None:
    assert requests_of(spec({"cpu": "500m"}, {"cpu": "1"}, init={"cpu": "1", "memory": "1Gi"})) == {
        "cpu": 1.5,
        "memory": 2.0**30,
    }


def test_a_limit_counts_where_there_is_no_request() -> None:
    assert requests_of(spec({GPU: "2"}, kind="limits")) == {GPU: 2.0}


@pytest.mark.parametrize(
    ("amounts", "words"),
    [
        ({"cpu": "5"}, "Insufficient cpu: the pod asks for 5, this machine has 4"),
        ({"memory": "9Gi"}, "Insufficient memory: the pod asks for 9.0Gi, this machine has 8.0Gi"),
        ({GPU: "2"}, "Insufficient nvidia.com/gpu: the pod asks for 2, this machine has 1"),
        ({"amd.com/gpu": "1"}, "Insufficient amd.com/gpu: the pod asks for 1, this machine has 0"),
    ],
)
def test_what_is_short_is_named_with_figures(amounts: dict[str, str], words: str) -> None:
    assert shortage(spec(amounts), [], MACHINE) == f"0/1 nodes are available: {words}"


def test_other_pods_count_until_they_are_gone() -> None:
    words = shortage(spec({"cpu": "2"}), [spec({"cpu": "3"})], MACHINE)
    assert words is not None and "3 of it used by other pods" in words
    assert shortage(spec({"cpu": "2"}), [], MACHINE) is None
    assert shortage(spec({}), [spec({"cpu": "4"})], MACHINE) is None


def test_the_machine_is_measured(tmp_path: Path) -> None:
    machine = this_machine(tmp_path / "not/there/yet", {"CUDA_VISIBLE_DEVICES": ""})
    assert machine.capacity["cpu"] == len(os.sched_getaffinity(0))
    assert machine.capacity["memory"] > 2**28 and machine.capacity["ephemeral-storage"] > 0
    assert machine.capacity[GPU] == 0 and machine.gpus == ()
