"""The control plane itself goes away for a while, or changes."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from swiftlet.api.schema.crd import crd
from testbed.controlplane import ControlPlane
from testbed.faults import EndWatch
from testbed.scene import Scene

Object = dict[str, Any]


@pytest.mark.parametrize("component", ["kube-apiserver", "etcd"])
def test_a_restart_is_waited_for(scene: Scene, document: Any, stoppable: ControlPlane, component: str) -> None:
    """It is stopped in the middle of a run; afterwards pods end, and a new resource is made, without a nudge."""
    name = f"through-{component}"
    uid = scene.create(document(name))["metadata"]["uid"]
    scene.start_pods(uid)
    scene.wait_condition("FineTuneJob", name, "Running", "True")
    stoppable.restart(component)
    _answers(scene, stoppable)
    scene.end_pods(uid)
    scene.wait_condition("FineTuneJob", name, "Succeeded", "True", "Trained")
    _works(scene, document(f"after-{component}"))
    assert scene.get("FineTuneJob", name)["status"]["restarts"] == {"user": 0, "infrastructure": 0}
    assert [kind for kind, _ in scene.children(uid)] == ["Job", "NetworkPolicy", "Pod"]


def _answers(scene: Scene, control_plane: ControlPlane) -> None:
    """Wait until the API server takes writes again: after a restart of etcd its connections come back one by one."""

    def ready() -> bool:
        done = control_plane.kubectl("get", "--raw", "/readyz", check=False)
        label = control_plane.kubectl("label", "--overwrite", "namespace", scene.namespace, "seen=yes", check=False)
        return done.stdout == "ok" and label.returncode == 0

    scene.wait(ready, "the API server answers")


def _works(scene: Scene, document: Object) -> None:
    """Wait until a new job has a pod: Kubernetes' own controllers come back later than the API server, too."""
    uid = scene.create(document)["metadata"]["uid"]
    scene.wait(lambda: len(scene.children(uid)) == 3, "children of a new job", seconds=120)


def test_an_operator_that_starts_while_the_api_server_is_away_says_so(
    scene: Scene, document: Any, stoppable: ControlPlane
) -> None:
    scene.operator.stop()
    stoppable.stop("kube-apiserver")
    try:
        scene.operator.start()
        scene.operator.wait_ended(120)  # its pod is then started again, later each time
        assert "cannot be used" in scene.operator.log[-2000:]
    finally:
        stoppable.start("kube-apiserver")
    scene.operator.start()
    scene.operator.wait_ready()
    _works(scene, document("after-absence"))


def _await_schema(scene: Scene, probe: Object) -> None:
    """Wait until a new field is kept, and until watches deliver it: those that are open when a CRD changes still drop
    it, and the API server ends them a moment later."""

    def kept() -> bool:
        made = scene.create(probe)
        scene.delete("FineTuneJob", "probe")
        return set(probe["spec"]) <= set(made["spec"])

    scene.wait(kept, "the changed schema is served")
    scene.proxy.clear()
    scene.proxy.end_watches(EndWatch("closed"), "finetunejobs")
    scene.wait(lambda: any(call.resource == "finetunejobs" for call in scene.proxy.calls), "a new watch")


@contextmanager
def _changed(control_plane: ControlPlane, kind: str, change: Callable[[Object], None]) -> Iterator[None]:
    """The cluster's CRD of a kind with its spec's schema changed, until the end of the block."""
    original = crd(kind)
    changed: Object = json.loads(json.dumps(original))
    change(changed["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"])
    apply = ("apply", "--server-side", "--force-conflicts", "-f", "-")
    control_plane.kubectl(*apply, stdin=json.dumps(changed))
    try:
        yield
    finally:
        control_plane.kubectl(*apply, stdin=json.dumps(original))


def _seen_by_api_server(scene: Scene, document: Object) -> Object:
    """Create a document as soon as the changed schema is served, which takes a moment."""
    made: list[Object] = []

    def created() -> bool:
        try:
            made.append(scene.create(document))
        except Exception as error:
            if "Invalid value" not in str(error) and "unknown field" not in str(error):
                raise
        return bool(made)

    scene.wait(created, "the changed schema is served")
    return made[0]


def test_a_document_that_passes_the_schema_but_not_the_model_is_refused_in_its_status(
    scene: Scene, document: Any, control_plane: ControlPlane
) -> None:
    """CRDs that are older than the operator let it in. The operator says what is wrong and goes on with others."""

    def without_pattern(spec: Object) -> None:
        del spec["properties"]["model"]["properties"]["uri"]["pattern"]

    with _changed(control_plane, "FineTuneJob", without_pattern):
        bad = _seen_by_api_server(scene, document("misfit", model={"uri": "ftp://bucket/model"}))
        message = scene.wait_condition("FineTuneJob", "misfit", "Accepted", "False", "Invalid")
        assert 'spec.model.uri: "ftp://bucket/model" is not a model' in message
        assert scene.condition("FineTuneJob", "misfit", "Succeeded")[:2] == ("False", "Invalid")
        assert scene.children(bad["metadata"]["uid"]) == []
        scene.wait(lambda: "Refused" in scene.reasons("misfit"), "the event")
        good = scene.create(document("fitting"))
        scene.wait(lambda: len(scene.children(good["metadata"]["uid"])) == 3, "children of another job")
        # Tried again only when it changes: a look costs, and nothing would come of it.
        scene.wait_quiet()
        scene.proxy.clear()
        scene.wait_quiet(2)
        assert [call for call in scene.proxy.writes if call.name == "misfit"] == []
    scene.delete("FineTuneJob", "misfit")


def test_crds_may_be_updated_while_the_operator_works(scene: Scene, document: Any, control_plane: ControlPlane) -> None:
    """A newer CRD has a field that this operator does not know: it says so where the field is used, and works on."""

    def with_field(spec: Object) -> None:
        spec["properties"]["novelty"] = {"type": "string"}

    uid = scene.create(document("updated"))["metadata"]["uid"]
    scene.start_pods(uid)
    scene.wait_condition("FineTuneJob", "updated", "Running", "True")
    with _changed(control_plane, "FineTuneJob", with_field):
        _await_schema(scene, document("probe", novelty="yes"))
        scene.create(document("newer", novelty="yes"))
        message = scene.wait_condition("FineTuneJob", "newer", "Accepted", "True", "Planned")
        assert "spec.novelty: unknown to this operator" in message and "upgrade the operator" in message
        scene.delete("FineTuneJob", "newer")
        scene.end_pods(uid)
        scene.wait_condition("FineTuneJob", "updated", "Succeeded", "True", "Trained")
