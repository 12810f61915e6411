"""Revisions of a server: numbered, kept, served again, and forgotten."""

import copy
from typing import Any

import pytest
from swiftlet.kinds.conditions.summary import settled
from swiftlet.kinds.modeldeployment.history import history_of

Object = dict[str, Any]
DIGEST = "swiftlet.dev/plan-digest"


class Served:
    """A deployment by URI, with the work of the Deployment controller and of kubelets done for it."""

    def __init__(self, world: Any, document: Object) -> None:
        self.world = world
        world.add(document, model={"uri": "pvc://models/a"}, requires=[])
        self.look()

    @property
    def resource(self) -> Object:
        return dict(self.world.objects["ModelDeployment", "default", "bird"])

    @property
    def deployment(self) -> Object:
        return dict(self.world.objects["Deployment", "default", "bird-serve"])

    @property
    def status(self) -> Object:
        return dict(self.world.status("ModelDeployment"))

    def look(self) -> Any:
        return self.world.reconcile("ModelDeployment")

    def change(self, **spec: Any) -> Any:
        self.resource["spec"].update(spec)
        self.resource["metadata"]["generation"] += 1
        return self.look()

    def length(self, length: int) -> Any:
        return self.change(engine={**self.resource["spec"]["engine"], "maxModelLength": length})

    def pods(self, **ready: bool) -> None:
        """A ReplicaSet with one pod for each digest (by its end), ready or not; the last is the Deployment's."""
        for key in [key for key in self.world.objects if key[0] in ("ReplicaSet", "Pod")]:
            del self.world.objects[key]
        for name, is_ready in ready.items():
            digest = {one.digest[-4:]: one.digest for one in self.history()}[name[1:]]
            owner = reference(self.deployment)
            metadata = {"name": f"set-{name}", "annotations": {DIGEST: digest}, "ownerReferences": [owner]}
            kept = self.world.put({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata})
            status = {"phase": "Running", "conditions": [{"type": "Ready", "status": str(is_ready)}]}
            metadata = {"name": f"pod-{name}", "ownerReferences": [reference(kept)]}
            self.world.put({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": status})

    def end(self, number: int | None = None) -> str:
        """How a pod of a revision is named in `pods`; of the newest when none is given."""
        found = [one.digest for one in self.history() if number in (None, one.number)]
        return f"x{found[-1][-4:]}"

    def history(self) -> list[Any]:
        return [revision for revision, _ in history_of(self.world.objects.values())]

    def rolls_out(self, number: int | None = None) -> None:
        self.status_of(**dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1))
        self.pods(**{self.end(number): True})
        self.look()

    def status_of(self, **counts: Any) -> None:
        stored = self.world.objects["Deployment", "default", "bird-serve"]
        stored["status"] = {"observedGeneration": stored["metadata"]["generation"], **counts}

    def told(self) -> list[tuple[int, bool, int]]:
        """(number, whether it ever was ready, its pods that are) of each."""
        return [(one["revision"], "readyAt" in one, one["readyReplicas"]) for one in self.status["revisions"]]


def reference(owner: Object) -> Object:
    metadata = owner["metadata"]
    return {"kind": owner["kind"], "name": metadata["name"], "uid": metadata["uid"], "controller": True}


@pytest.fixture
def served(world: Any, documents: Any) -> Served:
    return Served(world, documents["ModelDeployment"])


def test_what_changes_pods_is_a_revision_and_what_does_not_is_none(served: Served) -> None:
    served.rolls_out()
    assert (served.status["currentRevision"], served.told()) == (1, [(1, True, 1)])
    served.change(replicas=2)
    served.change(api={**served.resource["spec"]["api"], "allowFrom": []})
    assert [one.number for one in served.history()] == [1]
    served.length(512)
    assert [one.number for one in served.history()] == [1, 2]
    (first, second) = served.status["revisions"]
    assert (second["servedNames"], second["image"]) == (["bird"], "registry.example/server:1")
    served.world.pass_time(60)
    served.look()
    assert served.status["revisions"][0]["readyAt"] == first["readyAt"], "the first time is kept"


def test_a_revision_that_fails_leaves_the_old_one_current_and_tells_the_cause(served: Served) -> None:
    served.rolls_out()
    old = served.end()
    served.length(512)
    gone = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}]
    served.status_of(replicas=2, updatedReplicas=1, readyReplicas=1, availableReplicas=1, conditions=gone)
    served.pods(**{old: True, served.end(): False})
    waiting = {"reason": "ImagePullBackOff", "message": "server:2 not found"}
    pod = served.world.objects["Pod", "default", f"pod-{served.end()}"]
    pod["status"]["containerStatuses"] = [{"name": "serve", "state": {"waiting": waiting}}]
    served.look()
    assert (served.status["currentRevision"], served.status["updateRevision"]) == (1, 2)
    assert served.told() == [(1, True, 1), (2, False, 0)]
    status, reason, message = served.world.condition("ModelDeployment", "Ready")
    assert (status, reason) == ("False", "ImagePullBackOff")
    assert "server:2 not found" in message and message.endswith("; revision 1 goes on serving")
    status, reason, message = served.world.condition("ModelDeployment", "Progressing")
    assert (status, reason) == ("False", "ProgressDeadlineExceeded")
    assert message.startswith("timed out; ImagePullBackOff: pod") and "server:2 not found" in message
    assert settled(served.resource) == "failed"


def test_a_revision_is_served_again_word_for_word(served: Served) -> None:
    served.rolls_out()
    first = copy.deepcopy(served.deployment["spec"]["template"])
    port = {**served.resource["spec"]["api"], "port": 9000}
    served.change(api=port, model={"uri": "pvc://models/b"}, requires=[{"evalRunRef": {"name": "missing"}}])
    assert served.world.condition("ModelDeployment", "GatesPassed")[1] == "ReferenceNotFound"
    served.change(requires=[])
    served.rolls_out()
    second = copy.deepcopy(served.deployment["spec"]["template"])
    assert second != first and served.status["currentRevision"] == 2
    served.change(rollbackTo={"revision": 1}, requires=[{"evalRunRef": {"name": "missing"}}])
    assert served.deployment["spec"]["template"] == first, "no gate of the spec stands against it"
    ports = served.world.objects["Service", "default", "bird-serve"]["spec"]["ports"]
    assert [one["port"] for one in ports] == [8000], "its port is a part of it"
    assert served.status["url"] == "http://bird-serve.default.svc:8000/v1"
    served.rolls_out(1)
    assert served.world.condition("ModelDeployment", "Accepted")[:2] == ("True", "RolledBack")
    assert served.world.condition("ModelDeployment", "GatesPassed")[:2] == ("True", "RolledBack")
    ready = served.world.condition("ModelDeployment", "Ready")
    assert ready[:2] == ("True", "Available") and ready[2].endswith("revision 1, until spec.rollbackTo is removed")
    assert (served.status["currentRevision"], served.status["updateRevision"]) == (1, 1)
    served.length(2000)
    assert served.deployment["spec"]["template"] == first, "changes of the spec wait"
    assert [one.number for one in served.history()] == [1, 2]
    del served.resource["spec"]["rollbackTo"]
    served.change(requires=[], engine={**served.resource["spec"]["engine"], "maxModelLength": 2048})
    assert served.deployment["spec"]["template"] == second
    assert [one.number for one in served.history()] == [1, 2], "what is served anew is still the newest"


@pytest.mark.parametrize("number", [2, 99])
def test_a_revision_that_the_history_has_not_is_refused(served: Served, number: int) -> None:
    served.rolls_out()
    outcome = served.change(rollbackTo={"revision": number})
    assert outcome.desired == []
    message = f"spec.rollbackTo.revision {number}: the history has 1; name one of it, or remove the field"
    assert served.world.condition("ModelDeployment", "Accepted") == ("False", "RevisionNotFound", message)
    assert served.world.condition("ModelDeployment", "GatesPassed")[0] == "Unknown"
    assert served.world.condition("ModelDeployment", "Ready")[2] == f"{message}; the last rollout goes on serving"
    assert (served.status["currentRevision"], served.status["servedNames"]) == (1, ["bird"])


def test_the_profile_holds_for_former_revisions_too(served: Served) -> None:
    served.rolls_out()
    compute = {**served.resource["spec"]["compute"], "profileRef": {"name": "missing"}}
    served.change(rollbackTo={"revision": 1}, compute=compute)
    assert served.world.condition("ModelDeployment", "Accepted")[1] == "ReferenceNotFound"


def test_what_is_served_anew_gets_a_new_number(served: Served) -> None:
    served.rolls_out()
    served.length(512)
    served.length(2048)
    assert [one.number for one in served.history()] == [2, 3]
    assert served.told() == [(2, False, 0), (3, False, 1)]


def test_what_is_kept_of_a_revision_stays_as_it_is(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server refuses other data: another version of the operator may wait longer for the same pods."""
    monkeypatch.setattr("swiftlet.kinds.modeldeployment.render.PROGRESS_MARGIN", 1)
    (before,) = served.history()
    kept = [one for one in served.look().desired if one["kind"] == "ControllerRevision"]
    assert [one["data"]["progressDeadlineSeconds"] for one in kept] == [before.progress_deadline_seconds]


def test_a_server_of_the_release_before_the_history_goes_on_as_its_first_revision(served: Served) -> None:
    served.rolls_out()
    template = copy.deepcopy(served.deployment["spec"]["template"])
    generation = served.deployment["metadata"]["generation"]
    for key in [key for key in served.world.objects if key[0] == "ControllerRevision"]:
        del served.world.objects[key]
    for field in ("currentRevision", "updateRevision", "revisions"):
        del served.resource["status"][field]
    served.look()
    assert served.deployment["spec"]["template"] == template
    assert served.deployment["metadata"]["generation"] == generation
    assert (served.status["currentRevision"], served.told()) == (1, [(1, True, 1)])
    assert served.world.condition("ModelDeployment", "Ready")[:2] == ("True", "Available")


def test_the_history_has_a_limit_but_keeps_what_serves(served: Served) -> None:
    served.rolls_out()
    old = served.end()
    served.change(revisionHistoryLimit=2)
    assert served.deployment["spec"]["revisionHistoryLimit"] == 2
    served.pods(**{old: True})
    for number in range(8):
        served.length(100 + number)
        served.status_of(replicas=2, updatedReplicas=1, readyReplicas=1, availableReplicas=1)
    served.look()
    assert [one.number for one in served.history()] == [1, 7, 8, 9]
    served.rolls_out()
    served.look()
    assert [one.number for one in served.history()] == [7, 8, 9]
    assert served.look().delete == []


def test_a_former_revision_that_is_held_back_is_not_forgotten(served: Served) -> None:
    served.rolls_out()
    served.length(512)
    served.rolls_out()
    compute = {**served.resource["spec"]["compute"], "profileRef": {"name": "missing"}}
    served.change(rollbackTo={"revision": 1}, revisionHistoryLimit=0, compute=compute)
    assert served.world.condition("ModelDeployment", "Accepted")[1] == "ReferenceNotFound"
    assert [one.number for one in served.history()] == [1, 2]


def test_the_url_is_that_of_what_serves_while_another_port_is_held_back(served: Served) -> None:
    served.rolls_out()
    api = {**served.resource["spec"]["api"], "port": 9000}
    served.change(api=api, requires=[{"evalRunRef": {"name": "missing"}}])
    assert served.status["url"] == "http://bird-serve.default.svc:8000/v1"
    served.change(requires=[])
    assert served.status["url"] == "http://bird-serve.default.svc:9000/v1"


@pytest.mark.parametrize("data", [None, [], {}, {"document": {}, "template": 3, "progressDeadlineSeconds": 1}])
def test_objects_that_are_no_revisions_of_ours_are_left_out(data: Any) -> None:
    metadata = {"name": "a", "namespace": "default"}
    assert history_of([{"kind": "ControllerRevision", "metadata": metadata, "data": data, "revision": 1}]) == []
