"""What people and Argo CD do to one resource: actions, a deletion, edits of status."""

from typing import Any

from ruamel.yaml import YAML

from .conftest import FINISHED


def test_suspend_and_resume_hold_though_argo_cd_heals(bird: Any, reader: Any) -> None:
    bird.follow()
    uid = bird.uid("FineTuneJob", "bird-1")
    bird.place.await_children(uid, "Job")
    reader.does("argocd app actions run bird suspend --kind FineTuneJob --resource-name bird-1")
    bird.await_health("FineTuneJob", "bird-1", "Suspended", "")
    bird.place.wait(lambda: "Pod" not in bird.place.children(uid), "the pods are gone")
    bird.look()
    assert bird.place.get("FineTuneJob", "bird-1")["spec"]["suspend"] is True
    reader.does("argocd app actions run bird resume --kind FineTuneJob --resource-name bird-1")
    bird.await_health("FineTuneJob", "bird-1", "Progressing", "")
    bird.train("bird-1")


def test_a_server_is_suspended_by_having_no_replicas(bird: Any, reader: Any) -> None:
    bird.follow()
    bird.serve("bird-1")
    reader.does("argocd app actions run bird suspend --kind ModelDeployment --resource-name bird")
    bird.await_health("ModelDeployment", "bird", "Healthy", "ScaledToZero")
    bird.look()
    bird.await_status(*FINISHED)
    assert bird.place.get("ModelDeployment", "bird")["spec"]["replicas"] == 0
    reader.does("argocd app actions run bird resume --kind ModelDeployment --resource-name bird")
    bird.place.wait(lambda: bird.place.get("ModelDeployment", "bird")["spec"]["replicas"] == 1, "the default")
    bird.await_served()


def test_a_server_is_rolled_back_and_promoted_though_argo_cd_heals(bird: Any, reader: Any) -> None:
    bird.follow()
    bird.serve("bird-1")
    file = bird.checkout / "bird" / "modeldeployment.yaml"
    yaml = YAML()
    document = yaml.load(file)
    document["spec"].setdefault("engine", {})["maxModelLength"] = 1024
    yaml.dump(document, file)
    bird.push("A shorter context")
    bird.look()

    def number(which: str) -> int:
        return int(bird.place.get("ModelDeployment", "bird")["status"][f"{which}Revision"])

    for command, wanted in (
        (None, 2),
        ("argocd app actions run bird roll-back --kind ModelDeployment --resource-name bird", 1),
        ("argocd app actions run bird promote --kind ModelDeployment --resource-name bird", 2),
    ):
        if command:
            reader.does(command)
        bird.place.wait(lambda: number("update") == wanted, f"revision {wanted} is asked for")  # noqa: B023
        bird.await_served()
        bird.place.wait(lambda: number("current") == wanted, f"revision {wanted} serves")  # noqa: B023
        bird.look()
        bird.await_status(*FINISHED)
        assert number("current") == wanted


def test_a_run_that_failed_too_often_is_tried_once_more(bird: Any, reader: Any) -> None:
    """Its backoffLimit is set by hand here, since git says nothing of it, and Argo CD restores what git says."""
    bird.follow()
    uid = bird.uid("FineTuneJob", "bird-1")
    where = ("swiftlet.dev", "v1alpha1", bird.place.namespace, "finetunejobs", "bird-1")
    bird.place.custom.patch_namespaced_custom_object(*where, {"spec": {"backoffLimit": 0}})
    bird.end("FineTuneJob", "bird-1", {"failure": {"reason": "Error", "message": "lost"}}, exit_code=1)
    bird.await_health("FineTuneJob", "bird-1", "Degraded", "raise spec.backoffLimit to try again")
    reader.does("argocd app actions run bird retry --kind FineTuneJob --resource-name bird-1")
    bird.place.wait(lambda: len(bird.place.children(uid)["Job"]) == 2, "the next attempt")
    bird.look()
    assert bird.place.get("FineTuneJob", "bird-1")["spec"]["backoffLimit"] == 1
    bird.await_health("FineTuneJob", "bird-1", "Progressing", "")


def test_a_run_is_tried_again_by_deleting_it(bird: Any, reader: Any) -> None:
    bird.follow()
    failed = bird.uid("FineTuneJob", "bird-1")
    bird.end("FineTuneJob", "bird-1", {"failure": {"reason": "InvalidInput", "message": "row 7"}}, exit_code=2)
    bird.await_health("FineTuneJob", "bird-1", "Degraded", "row 7")
    reader.does("argocd app delete-resource bird --kind FineTuneJob --resource-name bird-1")
    bird.place.wait(lambda: bird.uid("FineTuneJob", "bird-1") != failed, "another run")
    bird.serve("bird-1")


def test_a_status_in_git_or_by_hand_is_no_status(bird: Any) -> None:
    """The operator's own is what holds; Argo CD does not care, nor fights for what git says."""
    file = bird.checkout / "bird" / "modeldeployment.yaml"
    yaml = YAML()
    document = yaml.load(file)
    document["status"] = {"observedGeneration": 1, "replicas": 7, "conditions": [forged()]}
    yaml.dump(document, file)
    bird.push("A status in git")
    bird.follow()
    bird.serve("bird-1")
    status = bird.place.get("ModelDeployment", "bird")["status"]
    assert status["replicas"] == 1 and all(one["message"] != "forged" for one in status["conditions"])
    syncs = bird.syncs()
    conditions = {"status": {"conditions": [forged("False")], "url": "http://elsewhere"}}
    where = ("swiftlet.dev", "v1alpha1", bird.place.namespace, "modeldeployments", "bird")
    bird.place.custom.patch_namespaced_custom_object_status(*where, conditions)
    bird.place.wait(
        lambda: all(
            one["message"] != "forged" for one in bird.place.get("ModelDeployment", "bird")["status"]["conditions"]
        ),
        "the operator's own status",
    )
    bird.await_status(*FINISHED)
    bird.look("hard")
    assert bird.syncs() == syncs


def forged(status: str = "True") -> dict[str, str]:
    return {"type": "Ready", "status": status, "reason": "Forged", "message": "forged"}
