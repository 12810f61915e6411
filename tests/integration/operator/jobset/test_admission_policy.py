"""The chart's admissionPolicy with JobSets beside the real JobSet: its types are right, the operator works, and its
token opens no more."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ruamel.yaml import YAML
from testbed.jobset import JobSet
from testbed.operator_process import OperatorProcess
from testbed.policies import ACCOUNT, admission_policies, by_the_operator

Object = dict[str, Any]
JOBSETS = ("jobset.x-k8s.io", "v1alpha2")
NOT_OURS = "may write only what a FineTuneJob"

OURS = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "FineTuneJob", "name": "bird", "uid": "1", "controller": True}


def jobset_of(name: str, **metadata: Any) -> Object:
    """A JobSet of one pod, which has a token."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "none"}]}
    role = {"name": "w", "template": {"spec": {"template": {"spec": pod}}}}
    spec = {"suspend": True, "replicatedJobs": [role]}
    return {"apiVersion": "/".join(JOBSETS), "kind": "JobSet", "metadata": {"name": name, **metadata}, "spec": spec}


PROBES: dict[str, Object] = {
    NOT_OURS: {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "probe"}},
    "no token of the API server": jobset_of("probe", ownerReferences=[OURS]),
}
"""What one policy alone refuses, by its words."""


@pytest.fixture
def bound(jobset: JobSet, place: Any) -> Iterator[list[Object]]:
    """The policies, in force."""
    with admission_policies(place.control_plane, "operator.jobSet.enabled=true") as text:
        for words, probe in PROBES.items():
            place.wait(lambda: words in created(place, probe), words)  # noqa: B023
        yield [dict(one) for one in YAML(typ="safe").load_all(text) if one["kind"] == "ValidatingAdmissionPolicy"]


def created(place: Any, document: Object) -> str:
    """What the API server answers when the operator's account would create it."""
    return by_the_operator(place.control_plane, place.namespace, "create", document, "--dry-run=server")


def typed(policy: Object) -> Object:
    """The policy under another name and for one version of each kind: only then the API server looks at its types."""
    found = copy.deepcopy(policy)
    found["metadata"] = {"name": f"typed-{policy['metadata']['name']}"}
    for rule in found["spec"]["matchConstraints"]["resourceRules"]:
        rule["apiVersions"] = ["v1alpha2" if "jobset.x-k8s.io" in rule["apiGroups"] else "v1"]
    return found


def test_no_expression_of_the_policies_asks_for_a_field_that_is_not_there(bound: list[Object], place: Any) -> None:
    kubectl = place.control_plane.kubectl
    wrong = copy.deepcopy(next(one for one in bound if one["metadata"]["name"].endswith("-jobset-pods")))
    wrong["metadata"]["name"] += "-wrong"
    wrong["spec"]["validations"][0]["expression"] = "object.spec.replicatedJobz.size() == 1"
    policies = {one["metadata"]["name"]: one for one in map(typed, [*bound, wrong])}
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(policies.values())})
    kubectl("apply", "-f", "-", stdin=text)

    def warnings(name: str) -> str | None:
        """None as long as nobody has looked."""
        status = json.loads(kubectl("get", "validatingadmissionpolicy", name, "-o", "json").stdout).get("status") or {}
        return json.dumps(status["typeChecking"].get("expressionWarnings")) if "typeChecking" in status else None

    for name in policies:
        place.wait(lambda: warnings(name) is not None, f"the types of {name}")  # noqa: B023
    told = {name: said for name in policies if (said := warnings(name)) != "null"}
    kubectl("delete", "-f", "-", stdin=text)
    assert list(told) == ["typed-swiftlet-operator-jobset-pods-wrong"], told
    assert "replicatedJobz" in str(told)


def _spec(jobset: Object) -> Object:
    return jobset["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def _without_owner(jobset: Object) -> None:
    del jobset["metadata"]["ownerReferences"]


def _of_another_jobset(jobset: Object) -> None:
    jobset["metadata"]["ownerReferences"][0] |= {"apiVersion": "/".join(JOBSETS), "kind": "JobSet"}


def _with_two_roles(jobset: Object) -> None:
    roles = jobset["spec"]["replicatedJobs"]
    roles.append({**copy.deepcopy(roles[0]), "name": "another"})


def _with_a_token(jobset: Object) -> None:
    del _spec(jobset)["automountServiceAccountToken"]


def _with_the_nodes_files(jobset: Object) -> None:
    _spec(jobset)["volumes"].append({"name": "own", "hostPath": {"path": "/"}})


def _as_root(jobset: Object) -> None:
    _spec(jobset)["initContainers"][0]["securityContext"] |= {"runAsNonRoot": False, "runAsUser": 0}


FORBIDDEN = {
    _without_owner: NOT_OURS,
    _of_another_jobset: NOT_OURS,
    _with_two_roles: "JobSets of Swiftlet have one role",
    _with_a_token: "no token of the API server",
    _with_the_nodes_files: "nothing of their node",
    _as_root: "not root and have no capabilities",
}


def test_the_operator_works_with_jobsets_and_who_has_its_token_can_make_no_other(
    bound: list[Object], operator: OperatorProcess, place: Any, job: Callable[..., Object]
) -> None:
    uid = place.create(job("bird", backend="jobSet", activeDeadlineSeconds=900))
    place.await_children(uid, "Job")
    where = ("swiftlet.dev", "v1alpha1", place.namespace, "finetunejobs", "bird")
    place.custom.patch_namespaced_custom_object(*where, {"spec": {"activeDeadlineSeconds": 1200}})
    place.wait(lambda: place.children(uid)["Job"][0].spec.active_deadline_seconds == 1200, "the Job's deadline")
    refused = [
        event for event in place.control_plane.audit_events(ACCOUNT)
        if event["responseStatus"]["code"] in (403, 422)
        and (event.get("objectRef") or {}).get("namespace") == place.namespace
    ]  # fmt: skip
    assert not refused
    made = place.custom.get_namespaced_custom_object(*JOBSETS, place.namespace, "jobsets", "bird-train-0")
    good = {**jobset_of("another", ownerReferences=made["metadata"]["ownerReferences"]), "spec": made["spec"]}
    assert "created (server dry run)" in created(place, good)
    for change, words in FORBIDDEN.items():
        bad = copy.deepcopy(good)
        change(bad)
        assert words in created(place, bad), change.__name__
    touches_none_of_others(place, made)


def touches_none_of_others(place: Any, made: Object) -> None:
    """A stranger's pods are as ours are here, so that nothing speaks against it but whose they are."""
    theirs = copy.deepcopy({**jobset_of("theirs"), "spec": {**made["spec"], "suspend": True}})
    del theirs["spec"]["replicatedJobs"][0]["template"]["metadata"]["labels"]
    place.custom.create_namespaced_custom_object(*JOBSETS, place.namespace, "jobsets", theirs)

    def jobs() -> list[str]:
        return [found.metadata.name for found in place.batch.list_namespaced_job(place.namespace).items]

    place.wait(lambda: "theirs-trainer-0" in jobs(), "the Job of a stranger's JobSet")
    kubectl, at = place.control_plane.kubectl, ("-n", place.namespace, f"--as={ACCOUNT}")
    deadline = ("--type=merge", "-p", json.dumps({"spec": {"activeDeadlineSeconds": 60}}))
    owners = {"metadata": {"ownerReferences": made["metadata"]["ownerReferences"]}}
    assert NOT_OURS in kubectl("patch", "job", "theirs-trainer-0", *at, *deadline, check=False).stderr
    taken = ("--type=merge", "-p", json.dumps(owners))
    assert NOT_OURS in kubectl("patch", "jobset", "theirs", *at, *taken, check=False).stderr
    assert NOT_OURS in kubectl("delete", "jobset", "theirs", *at, check=False).stderr
    assert kubectl("delete", "jobset", "bird-train-0", *at, "--wait=false", check=False).returncode == 0
