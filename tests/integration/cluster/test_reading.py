"""The command on a real API server, as people whom the chart's roles let do more or less."""

import json
import re
import shlex
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from ruamel.yaml import YAML
from testbed.controlplane import ControlPlane

Object = dict[str, Any]
Run = Callable[..., tuple[int, str, str]]
Person = Callable[..., Path]


@pytest.fixture
def viewer(person: Person) -> Path:
    return person("viewer", "view", "swiftlet-view")


def test_get_shows_the_columns_of_kubectl(swiftlet: Run, jobs: Object, viewer: Path) -> None:
    code, out, _ = swiftlet(viewer, "get", "ftj")
    head, bird, finch = out.splitlines()
    assert code == 0
    assert head.split() == ["NAME", "SUCCEEDED", "REASON", "STEP", "TOTAL", "LOSS", "TOKENS/S", "AGE"]
    assert bird.split()[:3] == ["bird", "False", "BackoffLimitExceeded"]
    assert finch.split()[:7] == ["finch", "Unknown", "Training", "40", "100", "1.5", "1234"]


def test_outputs_and_selectors(swiftlet: Run, jobs: Object, viewer: Path, namespace: str) -> None:
    document = json.loads(swiftlet(viewer, "get", "ftj", "bird", "-o", "json")[1])
    assert document == YAML(typ="safe").load(swiftlet(viewer, "get", "ftj/bird", "-o", "yaml")[1])
    assert "managedFields" not in document["metadata"]
    assert swiftlet(viewer, "get", "ftj", "-l", "team=a", "-o", "name")[1] == "finetunejob/bird\n"
    assert swiftlet(viewer, "get", "ftj", "bird", "-o", "jsonpath={.status.failure.reason}")[1] == "OOMKilled"
    assert "pod/bird-train-0" in swiftlet(viewer, "get", "ftj,pods")[1]


def test_get_without_a_kind_leaves_out_what_may_not_be_read(swiftlet: Run, jobs: Object, viewer: Path) -> None:
    """ComputeProfiles belong to the cluster, and a RoleBinding to a namespace."""
    code, out, err = swiftlet(viewer, "get")
    assert code == 0
    assert "finetunejob/bird" in out
    assert re.search(r"WARNING computeprofiles are not shown: .* may not list computeprofiles.swiftlet.dev", err)


def test_all_namespaces_are_for_who_may_read_them(
    swiftlet: Run, jobs: Object, viewer: Path, control_plane: ControlPlane, namespace: str
) -> None:
    assert "in all namespaces; an administrator grants it with" in swiftlet(viewer, "get", "ftj", "-A")[2]
    out = swiftlet(control_plane.kubeconfig, "get", "ftj", "-A")[1]
    assert out.split()[0] == "NAMESPACE"
    assert re.search(rf"{namespace} +bird ", out)


def test_describe_shows_cause_children_and_events(swiftlet: Run, jobs: Object, viewer: Path) -> None:
    code, out, err = swiftlet(viewer, "describe", "ftj", "bird")
    assert (code, err) == (0, "")
    failure = out[out.index("Failure:") : out.index("Spec:")]
    assert "OOMKilled: rank 0 ran out of memory" in failure
    assert "in:    pod bird-train-0, exit code 137" in failure
    assert "Files on this machine" not in out
    children = out[out.index("Children:") : out.index("Events:")]
    assert re.search(r"job/bird-train .*status Suspended", children)
    assert re.search(r"pod/bird-train-0 .*status (Pending|SchedulingGated)", children)
    assert re.search(r"Warning +Failed +\S+ \(x2\) +rank 0 ran out of memory", out[out.index("Events:") :])


def test_events_of_one_and_of_all(swiftlet: Run, jobs: Object, viewer: Path) -> None:
    assert "finetunejob/bird" in swiftlet(viewer, "events", "ftj/bird")[1]
    assert "finetunejob/bird" in swiftlet(viewer, "events")[1]
    assert "Failed" not in swiftlet(viewer, "events", "ftj/finch")[1]


def test_top_shows_what_is_at_work(swiftlet: Run, jobs: Object, viewer: Path) -> None:
    head, row = swiftlet(viewer, "top")[1].splitlines()
    assert head.split()[:6] == ["NAME", "STATE", "STEP", "DONE", "LOSS", "TOKENS/S"]
    assert row.split()[:6] == ["finetunejob/finch", "Training", "40/100", "40%", "1.5", "1234"]
    assert row.split()[7:10] == ["0", "0/1", "0"]


def test_logs_of_pods_that_have_not_begun(swiftlet: Run, jobs: Object, viewer: Path) -> None:
    assert swiftlet(viewer, "logs", "ftj/bird")[:2] == (0, "")


def test_wait_ends_when_it_has_come(
    swiftlet: Run, jobs: Object, viewer: Path, set_status: Callable[[str, Object], None]
) -> None:
    condition = {"type": "Succeeded", "status": "True", "reason": "Trained", "message": "", "observedGeneration": 1}
    condition["lastTransitionTime"] = "2026-01-01T00:00:00Z"
    later = threading.Timer(1.0, set_status, ("finch", {"conditions": [condition]}))
    later.start()
    found = swiftlet(viewer, "wait", "ftj/finch", "--timeout", "2m")
    later.join()
    assert found == (0, "finetunejob/finch condition met\n", "")


def test_wait_ends_at_once_when_it_cannot_come(swiftlet: Run, jobs: Object, viewer: Path) -> None:
    code, _, err = swiftlet(viewer, "wait", "ftj", "finch", "bird", "--timeout", "2m")
    assert code == 1
    assert "finetunejob/bird: OOMKilled: rank 0 ran out of memory" in err


def test_wait_ends_with_its_time(swiftlet: Run, jobs: Object, viewer: Path) -> None:
    code, _, err = swiftlet(viewer, "wait", "ftj/finch", "--timeout", "10ms")
    assert (code, err) == (
        4, "error: not come within --timeout: finetunejob/finch; `swiftlet describe` says why\n"
    )  # fmt: skip


def test_a_stranger_is_told_the_right_that_is_missing_and_the_command_that_grants_it_works(
    swiftlet: Run, jobs: Object, person: Person, control_plane: ControlPlane, namespace: str
) -> None:
    stranger = person("stranger")
    code, out, err = swiftlet(stranger, "get", "ftj")
    assert (code, out) == (1, "")
    assert err.startswith(
        f"error: stranger-{namespace} may not list finetunejobs.swiftlet.dev in namespace {namespace};"
        " an administrator grants it with:\n  kubectl create rolebinding"
    )
    control_plane.kubectl(*shlex.split(err.splitlines()[1])[1:])
    for _ in range(100):
        if swiftlet(stranger, "get", "ftj")[0] == 0:
            break
    assert "bird" in swiftlet(stranger, "get", "ftj")[1]


def test_who_may_not_see_pods_is_told_what_is_left_out(swiftlet: Run, jobs: Object, person: Person) -> None:
    code, out, err = swiftlet(person("half", "swiftlet-view"), "describe", "ftj", "bird")
    assert code == 1
    assert "may not list events in namespace" in err or "may not list pods" in err
    assert out == ""


def test_the_pod_that_shows_a_report_is_one_that_a_restricted_namespace_takes(
    swiftlet: Run,
    jobs: Object,
    viewer: Path,
    set_status: Callable[[str, Object], None],
    core: client.CoreV1Api,
    new_namespace: Callable[..., str],
) -> None:
    artifact = {"uri": "pvc://swiftlet-artifacts/bird/artifact", "digest": "sha256:1", "type": "adapter"}
    set_status("bird", {"artifact": {**artifact, "baseModel": "hf://org/name"}})
    code, out, err = swiftlet(viewer, "report", "ftj/bird")
    assert (code, out) == (1, "")
    assert "the page is bird/report/report.html on PersistentVolumeClaim swiftlet-artifacts" in err
    pod = json.loads(next(line for line in err.splitlines() if line.startswith("{")))
    strict = new_namespace(**{"pod-security.kubernetes.io/enforce": "restricted"})
    core.create_namespaced_pod(strict, pod, dry_run="All")
    assert swiftlet(viewer, "report", "ftj/finch")[2].startswith("error: finetunejob/finch has left no report yet")


def test_deleting_needs_the_right(
    swiftlet: Run, jobs: Object, viewer: Path, person: Person, control_plane: ControlPlane
) -> None:
    code, _, err = swiftlet(viewer, "delete", "ftj", "bird")
    assert code == 1
    assert "may not delete finetunejobs.swiftlet.dev" in err
    assert "--clusterrole=swiftlet-edit" in err
    editor = person("editor", "swiftlet-view", "swiftlet-edit")
    assert swiftlet(editor, "delete", "ftj", "bird") == (0, 'finetunejob "bird" deleted\n', "")
    assert "finetunejobs 'bird' not found; there are: finch" in swiftlet(editor, "delete", "ftj/bird")[2]
    assert swiftlet(editor, "delete", "ftj/bird", "--ignore-not-found")[0] == 0
    assert swiftlet(viewer, "wait", "ftj/bird", "--for=delete", "--timeout", "1m")[0] == 0


def test_deleting_documents_means_the_namespace_that_was_named(
    swiftlet: Run, jobs: Object, person: Person, tmp_path: Path
) -> None:
    document = tmp_path / "finch.yaml"
    document.write_text(
        "apiVersion: swiftlet.dev/v1alpha1\nkind: FineTuneJob\nmetadata: {name: finch}\n"
        "spec: {model: {uri: hf://org/name}, datasets: [{uri: 'configmap://data/rows.jsonl'}]}\n"
    )
    editor = person("editor", "swiftlet-view", "swiftlet-edit")
    assert swiftlet(editor, "delete", "-f", str(document))[1] == 'finetunejob "finch" deleted\n'


def test_a_name_that_is_not_there_gets_the_nearest(swiftlet: Run, jobs: Object, viewer: Path) -> None:
    assert "error: finetunejobs 'brid' not found; did you mean bird?" in swiftlet(viewer, "get", "ftj", "brid")[2]


def test_a_namespace_that_is_not_there(swiftlet: Run, control_plane: ControlPlane) -> None:
    found = swiftlet(control_plane.kubeconfig, "-n", "defualt", "get", "ftj")
    assert (found[0], found[2]) == (1, "error: there is no namespace 'defualt'; did you mean default?\n")


def test_credentials_that_are_not_known(swiftlet: Run, viewer: Path, tmp_path: Path) -> None:
    document = YAML(typ="safe").load(viewer.read_text())
    document["users"][0]["user"] = {"token": "expired"}
    (tmp_path / "config").write_text(json.dumps(document))
    code, _, err = swiftlet(tmp_path / "config", "get", "ftj")
    assert code == 1
    assert "does not accept the credentials of the kubeconfig (401 Unauthorized)" in err


def test_an_authority_that_is_not_the_servers(swiftlet: Run, viewer: Path, tmp_path: Path) -> None:
    document = YAML(typ="safe").load(viewer.read_text())
    cluster = document["clusters"][0]["cluster"]
    for name in ("certificate-authority", "certificate-authority-data"):
        cluster.pop(name, None)
    (tmp_path / "config").write_text(json.dumps(document))
    assert "certificate-authority is not that of this server" in swiftlet(tmp_path / "config", "get", "ftj")[2]
