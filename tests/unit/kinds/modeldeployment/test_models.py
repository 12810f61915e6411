"""Names that a server answers to, by what the jobs of its models have taught."""

import copy
from typing import Any

import pytest
from swiftlet.kinds.frame.progress import merge_event

TASKS = {
    "rm": {"rm": {}},
    "seqCls": {"seqCls": {"labels": ["no", "yes"]}},
    "reranker": {"reranker": {}},
    "embedding": {"embedding": {}},
}


def trained(world: Any, task: dict[str, Any], **artifact: Any) -> None:
    world.trained(**artifact)
    world.objects["FineTuneJob", "default", "bird"]["spec"]["task"] = task


def names(world: Any) -> list[str]:
    return list(world.reconcile("ModelDeployment").status.get("servedNames") or [])


@pytest.fixture
def deployment(documents: Any) -> dict[str, Any]:
    """Without gates, since no EvalRun has seen the model."""
    found: dict[str, Any] = copy.deepcopy(documents["ModelDeployment"])
    found["spec"].pop("requires", None)
    found["spec"].get("api", {}).pop("baseServedName", None)
    return found


@pytest.mark.parametrize("task", ["rm", "seqCls", "reranker"])
def test_a_base_has_no_scores_of_its_own(world: Any, deployment: Any, task: str) -> None:
    trained(world, TASKS[task])
    world.add(deployment)
    assert names(world) == ["bird"]
    assert world.condition("ModelDeployment", "Accepted") == ("True", "Planned", "serves bird")


def test_a_base_has_vectors_to_compare_with(world: Any, deployment: Any) -> None:
    trained(world, TASKS["embedding"])
    world.add(deployment)
    assert names(world) == ["base", "bird"]


def test_a_name_for_a_base_without_scores_is_refused(world: Any, deployment: Any) -> None:
    trained(world, TASKS["rm"])
    deployment["spec"].setdefault("api", {})["baseServedName"] = "smollm2"
    world.add(deployment)
    world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Accepted")[2] == (
        "spec.api.baseServedName smollm2: the model gives texts no scores without an adapter such as bird, so it"
        " answers to no name; remove the field"
    )


def test_a_whole_model_has_its_name(world: Any, deployment: Any) -> None:
    trained(world, TASKS["rm"], type="model")
    world.add(deployment)
    assert names(world) == ["bird"]


def test_adapters_of_a_model_by_its_uri(world: Any, deployment: Any) -> None:
    trained(world, TASKS["rm"])
    adapters = [{"name": "judge", "fineTuneJobRef": {"name": "bird"}}]
    deployment["spec"] |= {"model": {"uri": "hf://tiny/base"}, "adapters": adapters}
    world.add(deployment)
    assert names(world) == ["judge"]


def test_the_status_says_what_is_done_with_texts(world: Any, deployment: Any) -> None:
    trained(world, TASKS["rm"])
    uid = world.add(deployment)["metadata"]["uid"]
    world.reconcile("ModelDeployment")
    serving = {"time": "2026-01-01T12:00:00Z", "type": "serving", "engine": "transformers", "task": "classify"}
    world.reported[uid] = merge_event(None, serving)
    assert world.reconcile("ModelDeployment").status["task"] == "classify"
    del world.reported[uid]
    assert world.reconcile("ModelDeployment").status["task"] == "classify", "the operator was restarted"
