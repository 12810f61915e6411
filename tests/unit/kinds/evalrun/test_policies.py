from typing import Any

import pytest

GENERATION = {"generation": {"uri": "configmap://bird-data/test.jsonl"}}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"suites": [GENERATION, GENERATION], "gates": []}, "several suites are called generation"),
        (
            {"gates": [{"metric": "perplexity", "max": 3}]},
            "no suite reports perplexity; reported are generation: contains",
        ),
        (
            {"suites": [GENERATION, {**GENERATION, "name": "more"}]},
            "spec.gates[0]: contains is reported by generation, more; set suite to one",
        ),
        (
            {"gates": [{"metric": "contains", "suite": "other", "min": 1}]},
            "suite other does not report contains",
        ),
        (
            {"attach": True},
            "lies in no registry; have the run write its artifact to oci:// (spec.export), or set attach",
        ),
    ],
)
def test_refusals(world: Any, documents: Any, spec: dict[str, Any], said: str) -> None:
    world.trained()
    world.add(documents["EvalRun"], **spec)
    assert world.reconcile("EvalRun").desired == []
    status, reason, message = world.condition("EvalRun", "Accepted")
    assert (status, reason) == ("False", "InvalidPlan")
    assert said in message


def test_an_adapter_of_the_hub_needs_a_mirror(world: Any, documents: Any) -> None:
    target = {"model": {"uri": "hf://org/model", "adapterUri": "hf://org/adapter"}}
    world.add(documents["EvalRun"], target=target)
    world.reconcile("EvalRun")
    assert world.condition("EvalRun", "Accepted")[1] == "MirrorRequired"


def test_a_base_that_this_profile_cannot_reach(world: Any, documents: Any) -> None:
    world.trained()
    world.objects["FineTuneJob", "default", "bird"]["spec"]["model"]["uri"] = "file:///models/a"
    world.add(documents["EvalRun"])
    world.reconcile("EvalRun")
    status, reason, message = world.condition("EvalRun", "Accepted")
    assert (status, reason) == ("False", "LocalPathNotAllowed")
    assert "spec.model of FineTuneJob bird" in message
