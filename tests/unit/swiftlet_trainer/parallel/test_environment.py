"""torchrun's environment."""

import pytest
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.parallel.environment import NodeEnvironment, ProcessEnvironment


def test_a_pod_without_variables_is_the_only_node() -> None:
    assert NodeEnvironment.read({}, processes_per_node=2) == NodeEnvironment(processes_per_node=2)


def test_several_nodes() -> None:
    variables = {
        "PET_NNODES": "3",
        "PET_NPROC_PER_NODE": "4",
        "PET_NODE_RANK": "2",
        "PET_MASTER_ADDR": "bird-train-0-0.bird",
        "PET_MASTER_PORT": "21234",
    }
    found = NodeEnvironment.read(variables, processes_per_node=1)
    assert found == NodeEnvironment(3, 4, 2, "bird-train-0-0.bird", 21234)


def test_all_wrong_variables_are_told_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        NodeEnvironment.read({"PET_NNODES": "two", "PET_NODE_RANK": "5", "PET_NPROC_PER_NODE": "-1"}, 1)
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "PET_NNODES",
        "PET_NPROC_PER_NODE",
        "PET_NODE_RANK",
    ]


def test_several_nodes_need_to_know_where_to_meet() -> None:
    with pytest.raises(InvalidInput, match="PET_MASTER_ADDR and PET_MASTER_PORT must be set"):
        NodeEnvironment.read({"PET_NNODES": "2"}, 1)


def test_a_process() -> None:
    variables = {"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}
    assert ProcessEnvironment.read(variables) == ProcessEnvironment(3, 1, 4, 2)
    assert ProcessEnvironment.read({}) == ProcessEnvironment(0, 0, 1, 1)
