"""A FineTuneJob that starts from another one's artifact: `bird` is the first, `dpo` the second."""

from typing import Any

import pytest

PARENT = "pvc://swiftlet-artifacts/default/finetunejobs/bird-finetune/artifact"


def add(world: Any, documents: Any, model: Any = None, name: str = "dpo", **spec: Any) -> None:
    source = {"fineTuneJobRef": {"name": "bird"}, **(model or {})}
    plain = {key: value for key, value in documents["FineTuneJob"]["spec"].items() if key != "tuner"}
    world.add({**documents["FineTuneJob"], "metadata": {"name": name}, "spec": plain}, model=source, **spec)


def accepted(world: Any, name: str = "dpo") -> tuple[str, str, str]:
    world.reconcile("FineTuneJob", name)
    found: tuple[str, str, str] = world.condition("FineTuneJob", "Accepted", name)
    return found


def document(world: Any, name: str = "dpo") -> Any:
    return world.job_document(f"{name}-train")


def jobs(world: Any) -> list[str]:
    return sorted(name for kind, _, name in world.objects if kind == "Job")


def test_it_waits_and_nothing_is_made_before_the_artifact_is_there(
    world: Any, documents: Any, assert_fixpoint: Any
) -> None:
    add(world, documents)
    assert accepted(world)[:2] == ("Unknown", "ReferenceNotFound")
    world.add(documents["FineTuneJob"])
    assert accepted(world)[:2] == ("Unknown", "WaitingForFineTuneJob")
    assert world.condition("FineTuneJob", "Succeeded", "dpo")[:2] == ("Unknown", "WaitingForFineTuneJob")
    assert jobs(world) == [] and world.status("FineTuneJob", "dpo").get("lineage") == []
    world.trained()
    assert accepted(world)[2].endswith("from adapter sha256:aaaa of FineTuneJob bird")
    assert jobs(world) == ["dpo-train-0"]


def test_an_adapter_is_trained_further_on_its_base(world: Any, documents: Any) -> None:
    world.trained()
    world.objects["FineTuneJob", "default", "bird"]["spec"]["tuner"] = {"lora": {"rank": 8, "alpha": 4}}
    add(world, documents)
    accepted(world)
    said = document(world)
    assert (said["model"]["uri"], said["model"]["repoId"]) == ("hf://org/model", "org/model")
    assert said["start"] == {
        "adapter": {
            "uri": PARENT,
            "path": "/swiftlet/artifacts/default/finetunejobs/bird-finetune/artifact",
            "digest": "sha256:aaaa",
        }
    }
    assert said["tuner"]["lora"]["rank"] == 8 and said["tuner"]["lora"]["alpha"] == 4, "as the adapter is"
    assert said["schemaVersion"] == "1.1"
    (one,) = world.status("FineTuneJob", "dpo")["lineage"]
    assert one["lora"].pop("rank") == 8 and one.pop("lora")
    assert one == {
        "fineTuneJob": "bird",
        "uri": PARENT,
        "digest": "sha256:aaaa",
        "type": "adapter",
        "baseModel": "hf://org/model",
        "baseDigest": "sha256:base",
    }


def test_what_others_have_made_is_mounted_read_only(world: Any, documents: Any) -> None:
    world.trained(uri="pvc://other/artifact")
    add(world, documents)
    accepted(world)
    spec = world.objects["Job", "default", "dpo-train-0"]["spec"]["template"]["spec"]
    mounts = {one["mountPath"]: one for one in spec["containers"][0]["volumeMounts"]}
    assert mounts["/swiftlet/sources/parent"]["readOnly"] is True
    assert {"name": "parent", "persistentVolumeClaim": {"claimName": "other"}} in spec["volumes"]
    assert document(world)["start"]["adapter"]["path"] == "/swiftlet/sources/parent/artifact"


def test_a_merged_model_is_the_runs_own_and_the_base_of_what_it_makes(world: Any, documents: Any) -> None:
    world.trained()
    add(world, documents, {"mergeAdapter": True}, tuner={"lora": {"rank": 4}})
    accepted(world)
    said = document(world)
    own = said["artifactUri"].removesuffix("/artifact")
    assert said["model"] == {"uri": f"{own}/merged", "path": "/swiftlet/output/merged"}
    assert said["start"]["mergeInto"] == {"uri": "hf://org/model", "repoId": "org/model"}
    assert said["tuner"]["lora"]["rank"] == 4


def test_a_whole_model_is_the_new_base(world: Any, documents: Any) -> None:
    world.trained(type="model")
    add(world, documents)
    accepted(world)
    said = document(world)
    assert (said["model"]["uri"], said["model"]["digest"]) == (PARENT, "sha256:aaaa")
    assert "start" not in said and said["tuner"]["lora"]["rank"] == 16
    assert "lora" not in world.status("FineTuneJob", "dpo")["lineage"][0]


@pytest.mark.parametrize("forget", ["status", "jobs"])
def test_a_run_that_has_begun_goes_on_with_the_artifact_that_it_began_with(
    world: Any, documents: Any, assert_fixpoint: Any, forget: str
) -> None:
    """Whatever becomes of the other job; also where the status was not written, or its Jobs are gone."""
    world.trained()
    add(world, documents)
    before = accepted(world)
    lineage, said = world.status("FineTuneJob", "dpo")["lineage"], document(world)
    world.trained(digest="sha256:bbbb", uri="pvc://elsewhere/artifact")
    if forget == "status":
        del world.objects["FineTuneJob", "default", "dpo"]["status"]
    assert accepted(world) == before
    del world.objects["FineTuneJob", "default", "bird"]
    world.pod_dies("dpo-train-0", 1, {"failure": {"reason": "RuntimeError", "message": "boom"}})
    world.job_fails("dpo-train-0")
    world.reconcile("FineTuneJob", "dpo")
    if forget == "jobs":
        for key in [key for key in world.objects if key[0] in ("Job", "Pod")]:
            del world.objects[key]
    world.pass_time(5)
    assert accepted(world) == before
    assert document(world) == said and world.status("FineTuneJob", "dpo")["lineage"] == lineage
    assert jobs(world) == (["dpo-train-1"] if forget == "jobs" else ["dpo-train-0", "dpo-train-1"])


def test_a_suspended_job_has_not_begun(world: Any, documents: Any) -> None:
    world.trained()
    add(world, documents, suspend=True)
    accepted(world)
    assert jobs(world) == [] and world.status("FineTuneJob", "dpo")["lineage"] == []
    world.trained(digest="sha256:bbbb")
    world.objects["FineTuneJob", "default", "dpo"]["spec"]["suspend"] = False
    accepted(world)
    assert document(world)["start"]["adapter"]["digest"] == "sha256:bbbb"


def test_a_failed_job_is_named_with_its_cause(world: Any, documents: Any) -> None:
    world.trained()
    world.objects["FineTuneJob", "default", "bird"]["status"] = {
        "conditions": [{"type": "Succeeded", "status": "False", "reason": "Diverged", "message": "loss is NaN"}]
    }
    add(world, documents)
    assert accepted(world)[:2] == ("False", "UpstreamFailed")
    assert "Diverged: loss is NaN" in world.condition("FineTuneJob", "Succeeded", "dpo")[2]


@pytest.mark.parametrize(
    ("artifact", "model", "tuner", "said"),
    [
        ("adapter", {}, {"full": {}}, "set spec.model.mergeAdapter to true, or leave tuner out"),
        ("adapter", {}, {"lora": {"rank": 4, "alpha": 32}}, "spec.tuner.lora.rank is 4, the adapter's 16"),
        ("model", {"mergeAdapter": True}, None, "its artifact is a whole model; leave spec.model.mergeAdapter out"),
    ],
)
def test_what_does_not_go_together_is_refused(
    world: Any, documents: Any, artifact: str, model: Any, tuner: Any, said: str
) -> None:
    world.trained(type=artifact)
    add(world, documents, model, **({"tuner": tuner} if tuner else {}))
    status, reason, message = accepted(world)
    assert (status, reason) == ("False", "InvalidPlan")
    assert said in message and "spec.model.fineTuneJobRef.name bird" in message


def test_an_adapter_with_a_head_of_its_own_teaches_no_text(world: Any, documents: Any) -> None:
    world.trained()
    world.objects["FineTuneJob", "default", "bird"]["spec"]["task"] = {"rm": {}}
    add(world, documents)
    status, reason, message = accepted(world)
    assert (status, reason) == ("False", "InvalidPlan")
    assert "makes scores of texts (task rm), and task sft needs log-probabilities" in message
    add(world, documents, name="rm", task={"rm": {}})
    assert accepted(world, "rm")[0] == "True"


def test_jobs_that_wait_for_each_other_are_told_so(world: Any, documents: Any) -> None:
    add(world, documents, {"fineTuneJobRef": {"name": "orpo"}})
    assert accepted(world)[1] == "ReferenceNotFound"
    add(world, documents, {"fineTuneJobRef": {"name": "dpo"}}, name="orpo")
    add(world, documents, {"fineTuneJobRef": {"name": "orpo"}}, name="last")
    for name in ("dpo", "orpo", "last"):
        status, reason, message = accepted(world, name)
        assert (status, reason) == ("False", "InvalidPlan")
        assert "dpo → orpo → dpo" in message or "orpo → dpo → orpo" in message


def test_lineage_goes_down_to_the_first_model_and_is_followed_by_whoever_uses_the_artifact(
    world: Any, documents: Any
) -> None:
    world.trained()
    add(world, documents)
    accepted(world)
    made = {"uri": "pvc://swiftlet-artifacts/dpo/artifact", "digest": "sha256:dddd", "type": "adapter"}
    made |= {"baseModel": "hf://org/model", "baseDigest": "sha256:base"}
    world.job_completes("dpo-train-0", {"artifact": made})
    world.reconcile("FineTuneJob", "dpo")
    add(world, documents, {"fineTuneJobRef": {"name": "dpo"}}, name="last")
    accepted(world, "last")
    lineage = world.status("FineTuneJob", "last")["lineage"]
    assert [(one["fineTuneJob"], one["digest"]) for one in lineage] == [("dpo", "sha256:dddd"), ("bird", "sha256:aaaa")]
    assert lineage[-1]["baseModel"] == "hf://org/model"
    world.add(documents["EvalRun"], target={"fineTuneJobRef": {"name": "dpo"}})
    world.reconcile("EvalRun")
    said = world.job_document("bird-eval")
    assert said["target"]["model"]["uri"] == said["baseline"]["model"]["uri"] == "hf://org/model"
    assert said["target"]["digest"] == "sha256:dddd"
    world.add(documents["ModelDeployment"], model={"fineTuneJobRef": {"name": "dpo"}}, requires=[])
    world.reconcile("ModelDeployment")
    served = world.job_document("bird-serve")
    assert served["model"]["uri"] == "hf://org/model"
