"""An evaluation whose pods go: by whom, on a real Job controller. Their kubelet is the test."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from kubernetes.client import ApiException
from testbed.operator_process import OperatorProcess
from testbed.played_pods import ended, good_end, running

Object = dict[str, Any]
OWN_USE = "Container evaluate was using 90Gi, request is 1Gi, has larger consumption of ephemeral-storage. "
NONE_RESTARTED = {"user": 0, "infrastructure": 0}
TAKEN_AWAY = {"user": 0, "infrastructure": 1, "infrastructureRecent": 1}


def disrupted(reason: str) -> Object:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": reason, "lastTransitionTime": at}


@dataclass
class Evaluations:
    """EvalRuns of a namespace and what becomes of their pods."""

    place: Any

    def create(self, name: str, **spec: Any) -> str:
        suites = [{"generation": {"uri": "configmap://rows/train.jsonl", "metrics": ["contains"]}}]
        spec = {"target": {"model": {"uri": "hf://org/model"}}, "suites": suites, **spec}
        document = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "EvalRun", "metadata": {"name": name}, "spec": spec}
        return str(self.place.create(document))

    def pods(self, job: str) -> list[Object]:
        found = self.place.core.list_namespaced_pod(self.place.namespace, label_selector=f"job-name={job}").items
        return [dict(self.place.api.sanitize_for_serialization(pod)) for pod in found]

    def pod(self, job: str) -> Object:
        """The Job's pod that has not ended, once it is there."""
        self.place.wait(lambda: bool(self._open(job)), f"a pod of {job}")
        return self._open(job)[0]

    def say(self, pod: Object, status: Object) -> None:
        """What a kubelet would."""
        self.place.core.patch_namespaced_pod_status(
            pod["metadata"]["name"], self.place.namespace, {"status": {**status}}
        )

    def delete(self, pod: Object) -> None:
        self.place.core.delete_namespaced_pod(pod["metadata"]["name"], self.place.namespace)

    def job(self, name: str) -> Any:
        return self.place.batch.read_namespaced_job(name, self.place.namespace)

    def patch(self, name: str, **spec: Any) -> None:
        where = ("swiftlet.dev", "v1alpha1", self.place.namespace, "evalruns")
        self.place.custom.patch_namespaced_custom_object(*where, name, {"spec": spec})

    def status(self, name: str) -> Object:
        return dict(self.place.get("EvalRun", name)["status"])

    def await_restarts(self, name: str, restarts: Object) -> None:
        """The status follows the next attempt, whose pod may be there first."""
        self.place.wait(lambda: self.status(name).get("restarts") == restarts, f"{restarts} of {name}")

    def _open(self, job: str) -> list[Object]:
        return [pod for pod in self.pods(job) if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")]


@pytest.fixture
def evaluations(place: Any) -> Evaluations:
    return Evaluations(place)


def _evicted(on: Evaluations, pod: Object) -> None:
    status = ended(pod, 137)
    on.say(pod, {**status, "conditions": [*status["conditions"], disrupted("EvictionByEvictionAPI")]})


def _deleted_at_work(on: Evaluations, pod: Object) -> None:
    on.say(pod, running(pod))
    on.delete(pod)
    on.say(pod, ended(pod, 143, {"failure": {"reason": "Terminated", "message": "SIGTERM", "exitCode": 143}}))


def _deleted_and_killed(on: Evaluations, pod: Object) -> None:
    on.say(pod, running(pod))
    on.delete(pod)
    on.say(pod, ended(pod, 137))


def _deleted_while_pending(on: Evaluations, pod: Object) -> None:
    on.delete(pod)
    on.say(pod, {"phase": "Failed"})  # by the pod garbage collector


HAPPENINGS: dict[str, Callable[[Evaluations, Object], None]] = {
    "evicted": _evicted,
    "deleted": _deleted_at_work,
    "killed": _deleted_and_killed,
    "pending": _deleted_while_pending,
}


def test_whoever_takes_a_pod_away_it_is_not_the_users_failure(
    operator: OperatorProcess, place: Any, evaluations: Evaluations
) -> None:
    for name in HAPPENINGS:
        evaluations.create(name, backoffLimit=0)
    for name, happens in HAPPENINGS.items():
        happens(evaluations, evaluations.pod(f"{name}-eval"))
    for name in HAPPENINGS:
        pod = evaluations.pod(f"{name}-eval-1")
        evaluations.await_restarts(name, TAKEN_AWAY)
        evaluations.say(pod, good_end(pod))
    for name in HAPPENINGS:
        place.await_condition("EvalRun", name, "Succeeded", "True", "Evaluated")
        place.wait(lambda name=name: place.events(name).get("Restarting") == 1, "the event")
        assert evaluations.status(name)["restarts"] == TAKEN_AWAY


def test_a_pod_that_is_evicted_for_its_own_use_is(
    operator: OperatorProcess, place: Any, evaluations: Evaluations
) -> None:
    evaluations.create("bird", backoffLimit=0)
    pod = evaluations.pod("bird-eval")
    status = ended(pod, 137)
    conditions = [*status["conditions"], disrupted("TerminationByKubelet")]
    evaluations.say(pod, {**status, "conditions": conditions, "reason": "Evicted", "message": OWN_USE})
    place.await_condition("EvalRun", "bird", "Succeeded", "False", "BackoffLimitExceeded")
    assert evaluations.status("bird")["failure"]["reason"] == "Evicted"
    evaluations.patch("bird", backoffLimit=1)
    pod = evaluations.pod("bird-eval-1")
    evaluations.say(pod, good_end(pod))
    place.await_condition("EvalRun", "bird", "Succeeded", "True", "Evaluated")
    assert evaluations.status("bird")["restarts"] == {"user": 1, "infrastructure": 0}


def test_the_deadline_goes_on_where_it_was_when_a_suspended_one_is_resumed(
    operator: OperatorProcess, place: Any, evaluations: Evaluations
) -> None:
    evaluations.create("bird", activeDeadlineSeconds=100)
    pod = evaluations.pod("bird-eval")
    evaluations.say(pod, running(pod))
    place.await_condition("EvalRun", "bird", "Running", "True", "Evaluating")
    time.sleep(3)
    evaluations.patch("bird", suspend=True)
    place.await_condition("EvalRun", "bird", "Suspended", "True", "UserRequested")
    place.wait(lambda: "activeSince" not in evaluations.status("bird"), "its time is stored")
    ran = evaluations.status("bird")["activeSeconds"]
    assert ran >= 3
    evaluations.patch("bird", suspend=False)
    left = 100 - ran
    place.wait(lambda: evaluations.job("bird-eval").spec.active_deadline_seconds == left, "the rest of its time")
    evaluations.pod("bird-eval")
    assert evaluations.status("bird")["restarts"] == NONE_RESTARTED


def _as_of_0_1_0(job: Object) -> Object:
    """The Job that release 0.1.0 would have made."""
    metadata, spec = job["metadata"], job["spec"]
    kept = {name: metadata[name] for name in ("name", "namespace", "ownerReferences")}
    labels = {name: text for name, text in metadata["labels"].items() if name.startswith(("app.", "swiftlet.dev/"))}
    labels.pop("swiftlet.dev/attempt")
    annotations = {"swiftlet.dev/plan-digest": "sha256:of-0.1.0", "swiftlet.dev/target-digest": ""}
    policy = {
        "rules": [
            {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [2, 3]}},
            {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [143]}},
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        ]
    }
    fields = ("completionMode", "completions", "parallelism", "podReplacementPolicy")
    template = {"metadata": {"labels": labels}, "spec": spec["template"]["spec"]}
    return {
        "metadata": {**kept, "labels": labels, "annotations": annotations},
        "spec": {**{name: spec[name] for name in fields}, "backoffLimit": 1, "podFailurePolicy": policy}
        | {"template": template},
    }


def test_a_job_of_the_release_before_goes_on_untouched_and_is_followed_by_attempts(
    place: Any, evaluations: Evaluations, start_operator: Callable[..., OperatorProcess]
) -> None:
    older = start_operator()
    evaluations.create("bird", backoffLimit=1)
    evaluations.pod("bird-eval")
    older.kill()
    manifest = _as_of_0_1_0(place.api.sanitize_for_serialization(evaluations.job("bird-eval")))
    place.batch.delete_namespaced_job("bird-eval", place.namespace, propagation_policy="Foreground")
    place.wait(lambda: not _is_there(evaluations), "the Job of this release is gone")
    place.batch.create_namespaced_job(place.namespace, manifest)
    evaluations.pod("bird-eval")
    before = [write for write in place.writes() if "evalruns" not in write]
    start_operator().wait_ready()
    pod = evaluations.pod("bird-eval")
    evaluations.say(pod, running(pod))
    place.await_condition("EvalRun", "bird", "Running", "True", "Evaluating")
    evaluations.say(pod, ended(pod, 1, "flaky"))
    evaluations.await_restarts("bird", {"user": 1, "infrastructure": 0})
    place.await_rest()
    written = [write for write in place.writes() if "evalruns" not in write and "events" not in write]
    assert written == [write for write in before if "events" not in write]
    evaluations.patch("bird", backoffLimit=2)
    again = evaluations.pod("bird-eval")
    evaluations.say(again, ended(again, 1, "flaky again"))
    pod = evaluations.pod("bird-eval-1")
    evaluations.await_restarts("bird", {"user": 2, "infrastructure": 0})
    evaluations.say(pod, good_end(pod))
    place.await_condition("EvalRun", "bird", "Succeeded", "True", "Evaluated")


def _is_there(evaluations: Evaluations) -> bool:
    try:
        evaluations.job("bird-eval")
    except ApiException as error:
        assert error.status == 404
        return False
    return True
