"""What pods leave behind moves the status. Their kubelet is the test; everything else is real."""

from collections.abc import Callable
from typing import Any

from testbed.operator_process import OperatorProcess

Object = dict[str, Any]
Job = Callable[..., Object]


def test_a_training_that_ends_well(operator: OperatorProcess, place: Any, job: Job) -> None:
    uid = place.create(job("bird"))
    place.play(uid, runs=True)
    place.await_condition("FineTuneJob", "bird", "Running", "True", "Training")
    place.play(uid)
    place.await_condition("FineTuneJob", "bird", "Succeeded", "True", "Trained")
    status = place.get("FineTuneJob", "bird")["status"]
    assert status["artifact"]["uri"] == "pvc://swiftlet-artifacts/played/artifact"
    assert status["completionTime"]


def test_bad_input_ends_a_run_at_once_with_its_cause(operator: OperatorProcess, place: Any, job: Job) -> None:
    uid = place.create(job("bird", backoffLimit=3))
    failure = {"reason": "InvalidData", "message": "rows/train.jsonl:1: no messages"}
    place.play(uid, exit_code=2, message={"failure": failure})
    place.await_condition("FineTuneJob", "bird", "Succeeded", "False", "InvalidInput")
    said = place.get("FineTuneJob", "bird")["status"]["failure"]
    assert (said["reason"], said["message"], said["exitCode"]) == ("InvalidData", "rows/train.jsonl:1: no messages", 2)
    assert len(place.children(uid)["Job"]) == 1


def test_a_failure_that_may_pass_is_tried_again_as_a_whole(operator: OperatorProcess, place: Any, job: Job) -> None:
    uid = place.create(job("bird", backoffLimit=1))
    place.play(uid, exit_code=1, message="Traceback: connection reset")
    place.await_condition("FineTuneJob", "bird", "Running", "False", "BackingOff")
    place.wait(lambda: len(place.children(uid)["Job"]) == 2, "the second attempt, after 5 s")

    def second() -> list[Any]:
        return [pod for pod in place.children(uid)["Pod"] if pod.metadata.name.startswith("bird-train-1-")]

    place.wait(lambda: bool(second()), "its pod")
    assert all(pod.metadata.labels["swiftlet.dev/attempt"] == "1" for pod in second())
    once = {"user": 1, "infrastructure": 0}
    place.wait(lambda: place.get("FineTuneJob", "bird")["status"].get("restarts") == once, "its restart in the status")
