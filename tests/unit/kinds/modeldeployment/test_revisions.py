"""Documents of servers: one for each revision, kept as long as anything names it, a pod or the history."""

import json
from datetime import timedelta
from typing import Any

import pytest
from swiftlet.kinds.conditions.timestamps import to_text
from swiftlet.kinds.modeldeployment.revisions import DOCUMENT_LABEL, KEPT_SECONDS, unused_documents


def maps(world: Any) -> list[str]:
    return [name for kind, _, name in world.objects if kind == "ConfigMap" and name != "bird-data"]


def mounted(template: dict[str, Any]) -> str:
    volumes = template["spec"]["volumes"]
    return str(next(volume["configMap"]["name"] for volume in volumes if volume["name"] == "job"))


@pytest.fixture
def served(world: Any, documents: Any) -> Any:
    """A deployment by URI whose first revision is there, with the ReplicaSet that the Deployment controller made."""
    world.add(documents["ModelDeployment"], model={"uri": "pvc://models/a"}, requires=[])
    world.reconcile("ModelDeployment")
    replica_set(world, "bird-serve-1")
    return world


def replica_set(world: Any, name: str) -> None:
    """What the Deployment controller makes of the present template."""
    deployment = world.objects["Deployment", "default", "bird-serve"]
    controller = {"kind": "Deployment", "name": "bird-serve", "uid": deployment["metadata"]["uid"], "controller": True}
    metadata = {
        "name": name,
        "namespace": "default",
        "labels": dict(deployment["spec"]["template"]["metadata"]["labels"]),
        "ownerReferences": [{"apiVersion": "apps/v1", **controller}],
    }
    world.put({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata})


def change(world: Any, length: int) -> Any:
    for (kind, _, _), found in world.objects.items():
        if kind == "ConfigMap":
            found["metadata"].setdefault("creationTimestamp", to_text(world.now))
    world.objects["ModelDeployment", "default", "bird"]["spec"]["engine"]["maxModelLength"] = length
    return world.reconcile("ModelDeployment")


def test_each_revision_names_a_document_that_never_changes(served: Any) -> None:
    deployment = served.objects["Deployment", "default", "bird-serve"]
    first = mounted(deployment["spec"]["template"])
    before = json.dumps(served.objects["ConfigMap", "default", first])
    assert served.objects["ConfigMap", "default", first]["immutable"] is True
    change(served, 512)
    second = mounted(deployment["spec"]["template"])
    assert second != first and maps(served) == [first, second]
    assert json.loads(before)["data"] == served.objects["ConfigMap", "default", first]["data"]
    assert '"maxModelLength": 512' in served.objects["ConfigMap", "default", second]["data"]["job.json"]


def test_a_document_is_kept_as_long_as_a_replica_set_names_it(served: Any) -> None:
    served.objects["ModelDeployment", "default", "bird"]["spec"]["revisionHistoryLimit"] = 0
    (first,) = maps(served)
    change(served, 512)
    replica_set(served, "bird-serve-2")
    served.reconcile("ModelDeployment")
    served.pass_time(KEPT_SECONDS + 1)
    assert served.reconcile("ModelDeployment").delete == [], "its pods may start again"
    del served.objects["ReplicaSet", "default", "bird-serve-1"]
    assert [ref.name for ref in served.reconcile("ModelDeployment").delete] == [first]
    assert len(maps(served)) == 1


def test_a_revision_that_was_just_made_is_kept_though_nothing_names_it_yet(served: Any) -> None:
    served.objects["ModelDeployment", "default", "bird"]["spec"]["revisionHistoryLimit"] = 0
    change(served, 512)
    change(served, 1024)
    assert len(maps(served)) == 3
    served.pass_time(KEPT_SECONDS + 1)
    served.reconcile("ModelDeployment")
    served.reconcile("ModelDeployment")
    assert len(maps(served)) == 2, "the one in the middle never had a ReplicaSet"


def test_many_revisions_leave_as_many_documents_as_the_history_may_have(served: Any) -> None:
    for number in range(20):
        change(served, 512 + number)
        served.pass_time(KEPT_SECONDS + 1)
    for _ in range(2):
        served.reconcile("ModelDeployment")
    assert len(maps(served)) == 10 + 2, "ten old ones, the newest, and the one that a ReplicaSet names"


def test_config_maps_without_our_label_are_left_alone(world: Any) -> None:
    """Those of an earlier release, and whatever else carries our owner reference."""
    metadata = {"name": "bird-serve", "namespace": "default", "creationTimestamp": to_text(world.now)}
    child = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    assert unused_documents([child], [], world.now + timedelta(days=1)) == []
    labelled = {**child, "metadata": {**metadata, "labels": {DOCUMENT_LABEL: "abc"}}}
    assert [ref.name for ref in unused_documents([labelled], [], world.now + timedelta(days=1))] == ["bird-serve"]
