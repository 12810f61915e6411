from typing import Any

import pytest
from swiftlet.kube.compact import compact


def entry(manager: str, **spec: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "time": "t", "fieldsV1": {"f:spec": spec, "f:metadata": {}}}


@pytest.mark.parametrize(("kind", "field"), [("Job", "f:suspend"), ("Deployment", "f:replicas")])
def test_who_else_has_set_a_shared_field_is_kept_and_nothing_more(kind: str, field: str) -> None:
    managed = [
        entry("swiftlet", **{field: {}}),
        entry("kueue", **{field: {}, "f:template": {"f:spec": {}}}),
        entry("kubectl", **{"f:parallelism": {}}),
    ]
    kept = compact({"kind": kind, "metadata": {"name": "a", "managedFields": managed}, "spec": {}})
    expected = [{"manager": "kueue", "time": "t", "fieldsV1": {"f:spec": {field: {}}}}]
    assert kept["metadata"]["managedFields"] == expected
    assert compact(kept)["metadata"]["managedFields"] == expected


@pytest.mark.parametrize(
    "managed", [None, [], [{}], [{"fieldsV1": None}], [{"manager": "a", "fieldsV1": {"f:spec": None}}]]
)
def test_bookkeeping_without_such_a_hand_is_dropped(managed: Any) -> None:
    kept = compact({"kind": "Job", "metadata": {"name": "a", "managedFields": managed}, "spec": {}})
    assert "managedFields" not in kept["metadata"]


def test_what_holds_a_pod_back_is_kept() -> None:
    gates = [{"name": "kueue.x-k8s.io/admission"}]
    kept = compact({"kind": "Pod", "metadata": {"name": "a"}, "spec": {"schedulingGates": gates, "containers": [{}]}})
    assert kept["spec"] == {"schedulingGates": gates, "volumes": []}


def test_job_documents_are_not_kept() -> None:
    said = {"swiftlet.dev/job-document": "{}", "swiftlet.dev/lineage": "[]"}
    template = {"metadata": {"labels": {"a": "b"}, "annotations": said}, "spec": {}}
    job = {"kind": "Job", "metadata": {"name": "a"}, "spec": {"parallelism": 1, "template": template}}
    kept = {"labels": {"a": "b"}, "annotations": {"swiftlet.dev/lineage": "[]"}}
    assert compact(job)["spec"] == {"parallelism": 1, "template": {"metadata": kept, "spec": {}}}
    assert template["metadata"]["annotations"] == said, "what was given is as it was"
    pod = compact({"kind": "Pod", "metadata": {"name": "a", "annotations": said}})
    assert pod["metadata"]["annotations"] == {"swiftlet.dev/lineage": "[]"}
