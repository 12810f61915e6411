"""Who is to blame for the end of an attempt, by phase of the pod and by what ended it."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from swiftlet.api.v1alpha1.finetunejob_status import Failure
from swiftlet.kinds.attempts.attempt import Attempt
from swiftlet.kinds.attempts.cause import cause_of, failure_of

NOON, LATER, LATEST = "2026-01-01T12:00:00Z", "2026-01-01T12:00:07Z", "2026-01-01T12:02:00Z"
LOW = "The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 9Mi. "
OWN = LOW + "Container train was using 90Gi, request is 1Gi, has larger consumption of ephemeral-storage. "
DELETED = {"deletionTimestamp": LATEST, "deletionGracePeriodSeconds": 120}
"""Deletion was asked for at noon, with two minutes to end."""


def ended(code: int, at: str = LATER, message: str = "", reason: str = "Error") -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "finishedAt": at, "message": message, "reason": reason}}


def said(reason: str, code: int, message: str = "boom") -> str:
    return f'{{"failure": {{"reason": "{reason}", "message": "{message}", "rank": 1, "exitCode": {code}}}}}'


@dataclass
class Pod:
    """A pod as the API server shows it."""

    phase: str = "Failed"
    train: dict[str, Any] | None = None
    prepare: dict[str, Any] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    disruption: str | None = None
    at: str = NOON
    reason: str | None = None
    message: str | None = None

    def manifest(self, index: int) -> dict[str, Any]:
        annotations = {"batch.kubernetes.io/job-completion-index": str(index)}
        condition = {"type": "DisruptionTarget", "status": "True", "reason": self.disruption}
        condition |= {"lastTransitionTime": self.at, "message": f"words of {self.disruption}"}
        return {
            "metadata": {"name": f"bird-train-0-{index}-x", "annotations": annotations, **self.metadata},
            "spec": {"nodeName": "node-1"},
            "status": {
                "phase": self.phase,
                "conditions": [condition] if self.disruption else [],
                "initContainerStatuses": [{"name": "prepare", "state": self.prepare}] if self.prepare else [],
                "containerStatuses": [{"name": "train", "state": self.train}] if self.train else [],
                **({"reason": self.reason} if self.reason else {}),
                **({"message": self.message} if self.message else {}),
            },
        }


def judged(pods: list[Pod], job_reason: str, words: str = "", wanted: int = 1, memory: Failure | None = None) -> Any:
    condition = {"type": "Failed", "status": "True", "reason": job_reason, "message": words}
    manifest = {
        "metadata": {"name": "bird-train-0"},
        "spec": {"parallelism": wanted},
        "status": {"conditions": [condition]},
    }
    attempt = Attempt(0, manifest, tuple(pod.manifest(index) for index, pod in enumerate(pods)))
    failure = failure_of(attempt, memory)
    assert failure is not None
    return cause_of(attempt, failure), failure.reason


BACKOFF, POLICY, INFRA = "BackoffLimitExceeded", "PodFailurePolicy", "infrastructure"
KUBELET = "TerminationByKubelet"
TERMINATED = said("Terminated", 143)
AT_WORK = {"running": {"startedAt": NOON}}
"""All that is ever heard of a container whose node was lost."""


@pytest.mark.parametrize(
    ("pod", "job_reason", "cause", "reason"),
    [
        # What the run itself did.
        (Pod(train=ended(1)), BACKOFF, "user", "Error"),
        (Pod(train=ended(1, message=said("RuntimeError", 1))), BACKOFF, "user", "RuntimeError"),
        (Pod(train=ended(137)), BACKOFF, "user", "Error"),
        (Pod(train=ended(137, reason="OOMKilled")), BACKOFF, "user", "OOMKilled"),
        (Pod(train=ended(128, reason="StartError")), BACKOFF, "user", "StartError"),
        (Pod(prepare=ended(1)), BACKOFF, "user", "Error"),
        (Pod(prepare=ended(2, message=said("InvalidInput", 2))), POLICY, "invalid", "InvalidInput"),
        (Pod(train=ended(3, message=said("Diverged", 3))), POLICY, "diverged", "Diverged"),
        # Deleted by somebody, in whatever phase.
        (Pod(phase="Pending", metadata=DELETED), BACKOFF, INFRA, "PodDeleted"),
        (Pod(phase="Failed", metadata=DELETED), BACKOFF, INFRA, "PodDeleted"),
        (Pod(prepare=ended(137), metadata=DELETED), BACKOFF, INFRA, "PodDeleted"),
        (Pod(prepare=ended(1), metadata=DELETED), BACKOFF, INFRA, "PodDeleted"),
        (Pod(train=ended(137), metadata=DELETED), BACKOFF, INFRA, "PodDeleted"),
        (Pod(train=ended(1), metadata=DELETED), BACKOFF, INFRA, "PodDeleted"),
        (Pod(train=ended(143, message=TERMINATED), metadata=DELETED), BACKOFF, INFRA, "Terminated"),
        (Pod(train=ended(137, reason="ContainerStatusUnknown")), BACKOFF, INFRA, "ContainerStatusUnknown"),
        # It had ended by itself when somebody deleted what was left; and what deletion does not excuse.
        (Pod(train=ended(1, at="2026-01-01T11:59:00Z"), metadata=DELETED), BACKOFF, "user", "Error"),
        (Pod(train=ended(137, reason="OOMKilled"), metadata=DELETED), BACKOFF, "user", "OOMKilled"),
        (Pod(prepare=ended(2, message=said("InvalidInput", 2)), metadata=DELETED), POLICY, "invalid", "InvalidInput"),
        # Taken away by the cluster.
        (Pod(train=ended(137), disruption="PreemptionByScheduler"), POLICY, INFRA, "Disrupted"),
        (Pod(train=ended(1), disruption="EvictionByEvictionAPI"), POLICY, INFRA, "Disrupted"),
        (Pod(phase="Failed", disruption="DeletionByTaintManager"), POLICY, INFRA, "Disrupted"),
        (Pod(phase="Failed", disruption="DeletionByPodGC", metadata=DELETED), POLICY, INFRA, "Disrupted"),
        (Pod(train=AT_WORK, disruption="DeletionByTaintManager", metadata=DELETED), POLICY, INFRA, "Disrupted"),
        (Pod(reason="NodeShutdown", message="Pod was rejected"), BACKOFF, INFRA, "Disrupted"),
        (Pod(reason="OutOfmemory"), BACKOFF, INFRA, "Disrupted"),
        (Pod(reason="UnexpectedAdmissionError", message="no device"), BACKOFF, INFRA, "Disrupted"),
        (Pod(train=ended(1, at="2026-01-01T11:00:00Z"), disruption="DeletionByPodGC"), BACKOFF, "user", "Error"),
        # Evicted by the kubelet: for its own use, or as a victim.
        (Pod(reason="Evicted", message=OWN, disruption=KUBELET), POLICY, "user", "Evicted"),
        (Pod(reason="Evicted", message=OWN, train=ended(143)), POLICY, "user", "Evicted"),
        (Pod(reason="Evicted", message=OWN, train=ended(137), disruption=KUBELET), POLICY, "user", "Evicted"),
        (Pod(reason="Evicted", message="Usage of EmptyDir volume exceeds the limit"), POLICY, "user", "Evicted"),
        (Pod(reason="Evicted", message=LOW, disruption=KUBELET), POLICY, INFRA, "Disrupted"),
        (Pod(reason="Evicted", message="The node had condition"), BACKOFF, INFRA, "Disrupted"),
    ],
)  # fmt: skip
def test_a_lone_pod(pod: Pod, job_reason: str, cause: str, reason: str) -> None:
    words = (
        "Pod a/b has condition DisruptionTarget matching FailJob rule"
        if job_reason == POLICY and pod.disruption
        else ""
    )
    assert judged([pod], job_reason, words) == (cause, reason)


PEER = said("PeerFailed", 1)


@pytest.mark.parametrize(
    ("pods", "cause", "reason"),
    [
        # The first fails, and the Job controller deletes the others.
        ([Pod(train=ended(1, at=NOON)), Pod(train=ended(143, at=LATEST), metadata=DELETED)], "user", "Error"),
        ([Pod(train=ended(1, at=NOON)), Pod(phase="Pending", metadata=DELETED)], "user", "Error"),
        # Somebody deletes one, and the others lose their peer.
        ([Pod(train=ended(1, message=PEER)), Pod(train=ended(143), metadata=DELETED)], INFRA, "Error"),
        ([Pod(train=ended(1, message=PEER)), Pod(train=ended(137), metadata=DELETED)], INFRA, "PodDeleted"),
        ([Pod(train=ended(1, message="odd")), Pod(train=ended(137), metadata=DELETED)], INFRA, "PodDeleted"),
        # It is gone already, or its node is.
        ([Pod(train=ended(1, message=PEER))], INFRA, "PeerFailed"),
        ([Pod(train=ended(1, message=PEER)), Pod("Running", disruption="DeletionByTaintManager")], INFRA, "PeerFailed"),
        ([], INFRA, "PodDeleted"),
        # Both are there, and one blames the other.
        ([Pod(train=ended(1, message=PEER)), Pod(train=ended(1, at=LATEST))], "user", "Error"),
    ],
)  # fmt: skip
def test_a_gang(pods: list[Pod], cause: str, reason: str) -> None:
    assert judged(pods, BACKOFF, wanted=2) == (cause, reason)


def test_what_was_remembered_of_a_pod_that_is_gone_counts() -> None:
    own = Failure(reason="Evicted", message=OWN, pod="bird-train-0-0-x")
    assert judged([], POLICY, "has condition DisruptionTarget", memory=own) == ("user", "Evicted")
    other = Failure(reason="RuntimeError", message="", pod="bird-train-1-0-x", exit_code=1)
    assert judged([], BACKOFF, memory=other) == (INFRA, "PodDeleted")


@pytest.mark.parametrize(
    ("left", "reason"),
    [
        (ended(143, message=TERMINATED), "Disrupted"),
        (ended(1, message=said("PeerFailed", 1)), "Disrupted"),
        (ended(1), "Error"),
    ],
)
def test_pods_that_are_left_do_not_outrank_the_one_that_took_them_along(left: dict[str, Any], reason: str) -> None:
    lost = Failure(reason="Disrupted", message="its node is gone", pod="bird-train-0-1-x")
    assert judged([Pod(train=left)], POLICY, "has condition DisruptionTarget", 2, lost) == (INFRA, reason)
    # Nobody has seen it while it was there, but the Job.
    words = "Pod default/{} has condition DisruptionTarget matching FailJob rule at index 1"
    seen = Failure(reason="Error", message="", pod="bird-train-0-0-x", exit_code=143)
    for memory in (None, seen):
        assert judged([Pod(train=left)], POLICY, words.format("bird-train-0-1-x"), 2, memory) == (INFRA, reason)
        assert judged([Pod(train=left)], POLICY, words.format("bird-train-0-0-x"), 2, memory)[1] != "Disrupted"


def test_the_remedy_of_an_eviction_names_what_can_be_changed() -> None:
    manifest = {"metadata": {"name": "bird-train-0"}, "status": {"conditions": []}}
    found = failure_of(Attempt(0, manifest, (Pod(reason="Evicted", message=OWN).manifest(0),)), None)
    assert found is not None and "compute.resources.requests (ephemeral-storage, memory)" in found.message
