"""A gate counts for the bytes that it measured: model by model, adapter by adapter."""

import json
from typing import Any

import pytest

BASE = {"uri": "hf://org/model"}
PROMISED = {"modelDigest": "sha256:base", "adapterDigest": "sha256:aaaa"}


def trained(world: Any, name: str, **artifact: Any) -> None:
    """A FineTuneJob with an artifact of its own."""
    world.trained()
    job = world.objects["FineTuneJob", "default", "bird"]
    if name != "bird":
        job = world.put({**json.loads(json.dumps(job)), "metadata": {"name": name}})
    job["status"]["artifact"] |= {"uri": f"pvc://swiftlet-artifacts/{name}", **artifact}


def measured(world: Any, name: str, target: dict[str, Any], digest: str | None, found: dict[str, Any] | None) -> None:
    """An EvalRun whose gates hold."""
    world.evaluated()
    run = world.objects.pop(("EvalRun", "default", "bird"))
    run["spec"]["target"], run["spec"]["baseline"] = target, None
    status = {key: value for key, value in run["status"].items() if key != "targetDigest"}
    status |= {"targetDigest": digest} if digest else {}
    status |= {"measured": found} if found else {}
    spec = {key: value for key, value in run["spec"].items() if value is not None}
    world.put({**run, "metadata": {"name": name}, "spec": spec, "status": status})


def of_job(world: Any, run: str, job: str, digest: str) -> None:
    measured(
        world, run, {"fineTuneJobRef": {"name": job}}, digest, {"modelDigest": "sha256:b", "adapterDigest": digest}
    )


def deploy(world: Any, documents: Any, model: dict[str, Any], requires: list[str], *adapters: dict[str, Any]) -> None:
    for key in [key for key in world.objects if key[2].startswith("bird-serve")]:
        del world.objects[key]
    world.add(
        documents["ModelDeployment"],
        model=model,
        adapters=[{"name": f"a{index}", **adapter} for index, adapter in enumerate(adapters)],
        requires=[{"evalRunRef": {"name": name}} for name in requires],
    )
    world.reconcile("ModelDeployment")


def verdict(world: Any) -> tuple[str, str]:
    return tuple(world.condition("ModelDeployment", "GatesPassed")[:2])  # type: ignore[return-value]


def served(world: Any) -> dict[str, Any]:
    return dict(world.job_document("bird-serve"))


def ref(name: str, **more: Any) -> dict[str, Any]:
    return {"fineTuneJobRef": {"name": name}, **more}


def test_an_adapter_that_was_trained_again_is_not_served_on_the_gate_of_the_old_one(world: Any, documents: Any) -> None:
    for as_model in (True, False):
        trained(world, "bird", digest="sha256:new")
        of_job(world, "eval", "bird", "sha256:old")
        if as_model:
            deploy(world, documents, ref("bird"), ["eval"])
        else:
            deploy(world, documents, BASE, ["eval"], ref("bird"))
        assert verdict(world) == ("Unknown", "WaitingForEvalRun")
        assert ("Deployment", "default", "bird-serve") not in world.objects
        message = world.condition("ModelDeployment", "GatesPassed")[2]
        assert "measured sha256:old, but the artifact is sha256:new" in message


def test_a_gate_of_another_model_does_not_count(world: Any, documents: Any) -> None:
    trained(world, "main", digest="sha256:main")
    of_job(world, "eval", "bird", "sha256:bird")
    deploy(world, documents, ref("main"), ["eval"])
    assert verdict(world) == ("False", "GateForAnotherModel")
    message = world.condition("ModelDeployment", "GatesPassed")[2]
    assert "EvalRun default/eval measured sha256:bird, which is not served here" in message
    assert "spec.model: FineTuneJob main, sha256:main" in message and "add one that measures it" in message


def test_every_adapter_needs_a_gate_of_its_own_unless_the_document_says_otherwise(world: Any, documents: Any) -> None:
    trained(world, "one", digest="sha256:one")
    trained(world, "two", digest="sha256:two")
    of_job(world, "eval", "one", "sha256:one")
    deploy(world, documents, ref("one"), ["eval"], ref("two"))
    assert verdict(world) == ("False", "GateForAnotherModel")
    message = world.condition("ModelDeployment", "GatesPassed")[2]
    assert "spec.adapters[0] (FineTuneJob two, sha256:two)" in message
    assert "set spec.adapters[0].gate to Exempt" in message and "spec.model (" not in message
    deploy(world, documents, ref("one"), ["eval"], ref("two", gate="Exempt"))
    assert verdict(world) == ("True", "AllGatesPassed")
    of_job(world, "second", "two", "sha256:two")
    deploy(world, documents, ref("one"), ["eval", "second"], ref("two"))
    assert verdict(world) == ("True", "AllGatesPassed")


@pytest.mark.parametrize("adapters", [[], [ref("bird")]])
def test_without_requirements_nothing_is_gated(world: Any, documents: Any, adapters: list[dict[str, Any]]) -> None:
    trained(world, "bird", digest="sha256:x")
    deploy(world, documents, ref("bird"), [], *adapters)
    assert verdict(world) == ("True", "NoGates")


def test_a_whole_model_is_served_by_the_digest_that_was_measured(world: Any, documents: Any) -> None:
    trained(world, "bird", digest="sha256:whole", type="model")
    target = {"fineTuneJobRef": {"name": "bird"}}
    measured(world, "eval", target, "sha256:whole", {"modelDigest": "sha256:whole"})
    deploy(world, documents, ref("bird"), ["eval"])
    assert verdict(world) == ("True", "AllGatesPassed")
    assert served(world)["model"]["digest"] == "sha256:whole"


def test_a_whole_model_is_not_measured_by_an_evaluation_of_an_adapter_on_it(world: Any, documents: Any) -> None:
    trained(world, "bird", digest="sha256:whole", type="model")
    target = {"model": {"uri": "pvc://swiftlet-artifacts/bird", "adapterUri": "pvc://other/adapter"}}
    measured(world, "eval", target, None, {"modelDigest": "sha256:whole", "adapterDigest": "sha256:other"})
    deploy(world, documents, ref("bird"), ["eval"])
    assert verdict(world) == ("False", "GateForAnotherModel")


def test_a_model_by_uri_is_pinned_to_what_was_measured_under_that_uri(world: Any, documents: Any) -> None:
    measured(world, "eval", {"model": BASE}, None, {"modelDigest": "sha256:measured"})
    deploy(world, documents, BASE, ["eval"])
    assert verdict(world) == ("True", "AllGatesPassed")
    assert served(world)["model"]["digest"] == "sha256:measured"
    deploy(world, documents, {"uri": "hf://org/other"}, ["eval"])
    assert verdict(world) == ("False", "GateForAnotherModel")


def test_a_model_by_the_uri_of_a_measured_artifact_needs_the_same_uri(world: Any, documents: Any) -> None:
    target = {"model": {"uri": "pvc://claim/a", "adapterUri": "pvc://claim/b"}}
    measured(world, "eval", target, None, PROMISED)
    deploy(world, documents, {"uri": "pvc://claim/a"}, ["eval"], {"uri": "pvc://claim/b"})
    assert verdict(world) == ("True", "AllGatesPassed"), "the base of a measured adapter was measured with it"
    said = served(world)
    assert said["model"]["digest"] == "sha256:base" and said["adapters"][0]["digest"] == "sha256:aaaa"
    deploy(world, documents, {"uri": "pvc://claim/a"}, ["eval"], {"uri": "pvc://claim/c"})
    assert verdict(world) == ("False", "GateForAnotherModel")
    deploy(world, documents, {"uri": "pvc://claim/a"}, ["eval"])
    assert verdict(world) == ("False", "GateForAnotherModel"), "without its adapter the model was not measured"


def test_the_base_of_a_measured_adapter_is_pinned(world: Any, documents: Any) -> None:
    trained(world, "bird", digest="sha256:aaaa")
    measured(world, "eval", {"fineTuneJobRef": {"name": "bird"}}, "sha256:aaaa", PROMISED)
    deploy(world, documents, ref("bird"), ["eval"])
    assert served(world)["model"]["digest"] == "sha256:base"
    deploy(world, documents, ref("bird", gate="Exempt"), ["eval"])
    assert "digest" not in served(world)["model"]


def test_adapters_that_were_measured_on_different_bases_are_not_served_together(world: Any, documents: Any) -> None:
    for name in ("one", "two"):
        trained(world, name, digest=f"sha256:{name}")
        found = {"modelDigest": f"sha256:base-{name}", "adapterDigest": f"sha256:{name}"}
        measured(world, f"eval-{name}", {"fineTuneJobRef": {"name": name}}, f"sha256:{name}", found)
    deploy(world, documents, ref("one"), ["eval-one", "eval-two"], ref("two"))
    assert verdict(world) == ("False", "GateForAnotherModel")
    assert "measured on different models" in world.condition("ModelDeployment", "GatesPassed")[2]


def test_an_evaluation_that_recorded_no_digest_speaks_for_nothing_by_uri(world: Any, documents: Any) -> None:
    measured(world, "eval", {"model": BASE}, None, None)
    deploy(world, documents, BASE, ["eval"])
    assert verdict(world) == ("False", "GateForAnotherModel")
    assert "delete it and evaluate again" in world.condition("ModelDeployment", "GatesPassed")[2]
