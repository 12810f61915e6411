"""A small world of objects: what a reader sees, with children applied and pods that end as a test wants them to."""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from swiftlet.api.schema.validation import defaulted
from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.kinds import RECONCILERS, Capabilities, Outcome
from swiftlet.kinds.attempts.told_document import told_document
from swiftlet.kinds.conditions.condition import find_condition
from swiftlet.kinds.conditions.table import CONDITIONS
from swiftlet.kinds.conditions.timestamps import to_text
from swiftlet.kinds.frame.outcome import Patch
from swiftlet.kinds.frame.reading import Complaint
from swiftlet.kinds.owning.owners import descendants
from swiftlet.local.merge import patched

Manifest = dict[str, Any]
START = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
CLUSTER_SCOPED = {"ComputeProfile"}
IMAGES = {"trainer": "registry.example/trainer:1", "server": "registry.example/server:1"}

FINETUNEJOB: Manifest = {
    "apiVersion": "swiftlet.dev/v1alpha1",
    "kind": "FineTuneJob",
    "metadata": {"name": "bird"},
    "spec": {
        "model": {"uri": "hf://org/model"},
        "datasets": [{"uri": "configmap://bird-data/train.jsonl"}],
        "tuner": {"lora": {"rank": 16}},
    },
}
EVALRUN: Manifest = {
    "apiVersion": "swiftlet.dev/v1alpha1",
    "kind": "EvalRun",
    "metadata": {"name": "bird"},
    "spec": {
        "target": {"fineTuneJobRef": {"name": "bird"}},
        "baseline": {"base": {}},
        "suites": [{"generation": {"uri": "configmap://bird-data/test.jsonl"}}],
        "gates": [{"metric": "contains", "min": 0.8}],
    },
}
MODELDEPLOYMENT: Manifest = {
    "apiVersion": "swiftlet.dev/v1alpha1",
    "kind": "ModelDeployment",
    "metadata": {"name": "bird"},
    "spec": {"model": {"fineTuneJobRef": {"name": "bird"}}, "requires": [{"evalRunRef": {"name": "bird"}}]},
}
ARTIFACT = {
    "uri": "pvc://swiftlet-artifacts/default/finetunejobs/bird-finetune/artifact",
    "digest": "sha256:aaaa",
    "type": "adapter",
    "baseModel": "hf://org/model",
    "baseDigest": "sha256:base",
    "finalLoss": "0.5",
    "steps": 30,
}


@dataclass
class World:
    """Objects by (kind, namespace, name), and the clock."""

    capabilities: Capabilities = field(default_factory=lambda: Capabilities(provisions_claims=True))
    objects: dict[tuple[str, str | None, str], Manifest] = field(default_factory=dict)
    reported: dict[str, Manifest] = field(default_factory=dict)
    complaints: dict[str, Complaint] = field(default_factory=dict)
    """What their controllers say of Jobs, by name."""
    served: set[str] = field(default_factory=set)
    """Kinds that a cluster need not have."""
    now: datetime = START
    made: int = 0

    def get(self, kind: str, namespace: str | None, name: str) -> Manifest | None:
        return copy.deepcopy(self.objects.get((kind, namespace, name)))

    def children(self, namespace: str, owner_uid: str) -> list[Manifest]:
        return copy.deepcopy(descendants(self.objects.values(), namespace, owner_uid))

    def progress(self, uid: str) -> Manifest | None:
        return self.reported.get(uid)

    def serves(self, kind: str) -> bool:
        return kind in self.served

    def complaint(self, job: Manifest) -> Complaint | None:
        return self.complaints.get(job["metadata"]["name"])

    def put(self, manifest: Manifest) -> Manifest:
        """Store an object as it is; it gets a namespace, a uid and a generation when it has none."""
        stored = copy.deepcopy(manifest)
        metadata, kind = stored["metadata"], stored["kind"]
        namespace = None if kind in CLUSTER_SCOPED else metadata.setdefault("namespace", "default")
        self.made += 1
        metadata.setdefault("uid", f"{kind.lower()}-{self.made:04d}")
        metadata.setdefault("generation", 1)
        self.objects[kind, namespace, metadata["name"]] = stored
        return stored

    def add(self, document: Manifest, **spec: Any) -> Manifest:
        """Store a resource as the API server would, with parts of its spec replaced. A profile gets images."""
        usual = {"images": IMAGES} if document["kind"] == "ComputeProfile" else {}
        return self.put(defaulted({**document, "spec": {**usual, **document.get("spec", {}), **spec}}))

    def job_document(self, name: str) -> Manifest:
        """What pods were told last by a workload or a ConfigMap whose name begins like this."""
        named = [one for one in self.objects.values() if one["metadata"]["name"].startswith(name)]
        found = told_document(reversed(named))
        assert found is not None
        return found

    def data(self, *keys: str) -> None:
        """The ConfigMap bird-data with these keys."""
        content = dict.fromkeys(keys or ("train.jsonl", "test.jsonl"), "{}")
        self.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bird-data"}, "data": content})

    def look(self, kind: str, name: str = "bird") -> Outcome:
        """Reconcile without applying."""
        resource = self.objects[kind, "default", name]
        capabilities = self.capabilities
        if capabilities.default_profile == ComputeProfileSpec():
            usual = ComputeProfileSpec.model_validate({"images": IMAGES})
            capabilities = replace(capabilities, default_profile=usual)
        outcome = RECONCILERS[kind](copy.deepcopy(resource), self, self.now, capabilities)
        table = {doc.type: doc.reasons for doc in CONDITIONS[kind]}
        said = {condition["type"]: condition["reason"] for condition in outcome.status["conditions"]}
        always = [doc.type for doc in CONDITIONS[kind] if doc.type in said or not doc.is_asked_for]
        assert list(said) == always, "every known condition is set, in the order of the table"
        assert not {(t, reason) for t, reason in said.items() if reason not in table[t]}, "reasons stand in the table"
        return outcome

    def reconcile(self, kind: str, name: str = "bird") -> Outcome:
        """Reconcile once and apply the outcome."""
        outcome = self.look(kind, name)
        for manifest in outcome.desired:
            self._apply(manifest)
        for patch in outcome.patches:
            self._patch(patch)
        for ref in outcome.delete:
            del self.objects[ref.kind, ref.namespace, ref.name]
        self.objects[kind, "default", name]["status"] = json.loads(json.dumps(outcome.status))
        return outcome

    def _apply(self, manifest: Manifest) -> None:
        key = manifest["kind"], manifest["metadata"]["namespace"], manifest["metadata"]["name"]
        if key not in self.objects:
            self.put(manifest)
            return
        stored = self.objects[key]
        content = {
            name: copy.deepcopy(value) for name, value in manifest.items() if name in ("spec", "data", "revision")
        }
        if "replicas" in stored.get("spec", {}):  # left out of the manifest it stays, as another hand's does
            content["spec"].setdefault("replicas", stored["spec"]["replicas"])
        if any(stored.get(name) != value for name, value in content.items()):
            stored["metadata"]["generation"] += 1
        stored["metadata"].update(copy.deepcopy(manifest["metadata"]))
        stored.update(content)

    def _patch(self, patch: Patch) -> None:
        key = patch.target.kind, patch.target.namespace, patch.target.name
        self.objects[key].update(patched(self.objects[key], copy.deepcopy(patch.fields)))
        self.objects[key]["metadata"]["generation"] += 1

    def condition(self, kind: str, type_: str, name: str = "bird") -> tuple[str, str, str]:
        """(status, reason, message) as stored."""
        found = find_condition(self.objects[kind, "default", name], type_)
        assert found is not None, type_
        return found["status"], found["reason"], found["message"]

    def status(self, kind: str, name: str = "bird") -> Manifest:
        return self.objects[kind, "default", name]["status"]

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def job_runs(self, name: str, pods: int = 1, container: str = "train") -> None:
        """The Job controller and the kubelet have done their work: its pods run."""
        job = self.objects["Job", "default", name]
        job["status"] = {"active": pods, "ready": pods, "terminating": 0, "startTime": to_text(self.now)}
        for index in range(pods):
            state = {"running": {"startedAt": to_text(self.now)}}
            self.pod(job, index, state, container=container)

    def pod(
        self,
        owner: Manifest,
        index: int,
        state: Manifest,
        container: str = "train",
        conditions: list[Manifest] | None = None,
        init: bool = False,
        **status: Any,
    ) -> Manifest:
        """A pod of a Job or Deployment with one container in `state`."""
        phase = "Running" if "running" in state else "Pending" if "waiting" in state else "Failed"
        if state.get("terminated", {}).get("exitCode") == 0:
            phase = "Succeeded"
        statuses = [{"name": container, "state": state, "restartCount": status.pop("restartCount", 0)}]
        if last := status.pop("lastState", None):
            statuses[0]["lastState"] = last
        metadata = owner["metadata"]
        infix = "" if owner["spec"].get("completionMode") == "NonIndexed" else f"-{index}"
        return self.put(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": f"{metadata['name']}{infix}-{'abcde'[index:]}",
                    "labels": {
                        **owner["spec"]["template"]["metadata"]["labels"],
                        "batch.kubernetes.io/job-name": metadata["name"],
                    },
                    "annotations": {"batch.kubernetes.io/job-completion-index": str(index)},
                    "ownerReferences": [
                        {"kind": owner["kind"], "name": metadata["name"], "uid": metadata["uid"], "controller": True}
                    ],
                },
                "status": {
                    "phase": phase,
                    "conditions": conditions or [],
                    "initContainerStatuses" if init else "containerStatuses": statuses,
                    **status,
                },
            }
        )

    def lose_node(self, pod: str) -> None:
        """The node lifecycle controller has given the pod's node up."""
        manifest = self.objects["Pod", "default", pod]
        conditions = [{"type": "Ready", "status": "False"}, {"type": "ContainersReady", "status": "True"}]
        manifest["spec"], manifest["status"]["conditions"] = {"nodeName": "node-1"}, conditions

    def job_completes(self, name: str, message: Manifest, container: str = "train") -> None:
        """The Job's pod leaves `message` and ends well."""
        job = self.objects["Job", "default", name]
        self.pod(job, 0, terminated(0, message, self.now), container=container)
        job["status"] = {
            "succeeded": 1,
            "startTime": job.get("status", {}).get("startTime", to_text(self.now)),
            "completionTime": to_text(self.now),
            "conditions": [
                {"type": "SuccessCriteriaMet", "status": "True", "lastTransitionTime": to_text(self.now)},
                {"type": "Complete", "status": "True", "lastTransitionTime": to_text(self.now)},
            ],
        }

    def job_fails(
        self, name: str, reason: str = "BackoffLimitExceeded", message: str = "Job has reached the limit"
    ) -> None:
        """The Job controller has given the Job up."""
        job = self.objects["Job", "default", name]
        job["status"] = {
            "failed": 1,
            "startTime": job.get("status", {}).get("startTime", to_text(self.now)),
            "conditions": [
                {
                    "type": type_,
                    "status": "True",
                    "reason": reason,
                    "message": message,
                    "lastTransitionTime": to_text(self.now),
                }
                for type_ in ("FailureTarget", "Failed")
            ],
        }

    def pod_dies(self, job: str, exit_code: int, message: Any = "", index: int = 0, **options: Any) -> None:
        """A pod of the Job ends with an error."""
        owner = self.objects["Job", "default", job]
        after = options.pop("after", 0)
        reason = options.pop("reason", "Error")
        state = terminated(exit_code, message, self.now + timedelta(seconds=after), reason)
        self.pod(owner, index, state, **options)

    def trained(self, **artifact: Any) -> None:
        """A FineTuneJob that has ended well."""
        if ("FineTuneJob", "default", "bird") not in self.objects:
            self.data()
            self.add(FINETUNEJOB)
        job = self.objects["FineTuneJob", "default", "bird"]
        job["status"] = {
            "observedGeneration": 1,
            "artifact": {**ARTIFACT, **artifact},
            "completionTime": to_text(self.now),
            "conditions": [{"type": "Succeeded", "status": "True", "reason": "Trained", "message": "done"}],
        }

    def evaluated(self, passed: bool = True, digest: str = "sha256:aaaa") -> None:
        """An EvalRun with figures."""
        run = self.add(EVALRUN)
        run["status"] = {
            "observedGeneration": 1,
            "targetDigest": digest,
            "completionTime": to_text(self.now),
            "conditions": [
                {
                    "type": "GatePassed",
                    "status": "True" if passed else "False",
                    "reason": "AllGatesPassed" if passed else "GateFailed",
                    "message": "contains 0.5: min 0.8 missed by 0.3",
                },
                {
                    "type": "Succeeded",
                    "status": "True" if passed else "False",
                    "reason": "Evaluated" if passed else "GateFailed",
                    "message": "",
                },
            ],
        }


def terminated(exit_code: int, message: Any, at: datetime, reason: str = "Error") -> Manifest:
    text = message if isinstance(message, str) else json.dumps(message)
    return {
        "terminated": {
            "exitCode": exit_code,
            "reason": "Completed" if exit_code == 0 else reason,
            "message": text,
            "startedAt": to_text(at),
            "finishedAt": to_text(at),
        }
    }


@pytest.fixture
def world() -> World:
    """A world with the data that the usual documents name."""
    built = World()
    built.data()
    return built


@pytest.fixture
def documents() -> dict[str, Manifest]:
    """The usual document of each kind, to be changed freely."""
    return copy.deepcopy({"FineTuneJob": FINETUNEJOB, "EvalRun": EVALRUN, "ModelDeployment": MODELDEPLOYMENT})


@pytest.fixture
def assert_fixpoint() -> Callable[[World, str], None]:
    """Asserts that a second look at an unchanged world changes nothing, not even a timestamp."""

    def check(world: World, kind: str) -> None:
        world.reconcile(kind)
        before = copy.deepcopy(world.objects)
        world.pass_time(0.5)
        again = world.reconcile(kind)
        assert world.objects == before
        assert again.events == []
        assert again.delete == [] and again.patches == []

    return check
