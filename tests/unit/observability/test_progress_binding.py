from typing import Any

import pytest
from swiftlet.observability.progress_binding import NotAllowedError, resource_of
from swiftlet.observability.token_claims import PodIdentity

POD = PodIdentity("team", "bird-0", "uid-of-bird-0")


def test_a_pod_reports_for_the_resource_that_controls_its_job(cluster: Any) -> None:
    cluster.add("bird-0", "bird")
    assert resource_of(POD, None, cluster) == "uid-bird"
    assert resource_of(POD, "uid-bird", cluster) == "uid-bird"


def test_and_for_no_other(cluster: Any) -> None:
    cluster.add("bird-0", "bird")
    cluster.add("fish-0", "fish")
    with pytest.raises(NotAllowedError, match="another resource than uid-fish"):
        resource_of(POD, "uid-fish", cluster)


def test_a_pod_of_that_name_from_before(cluster: Any) -> None:
    cluster.add("bird-0", "bird")
    cluster.objects["Pod", "team", "bird-0"]["metadata"]["uid"] = "uid-of-its-successor"
    with pytest.raises(NotAllowedError, match="not one of the operator's pods"):
        resource_of(POD, None, cluster)


def test_a_controller_that_names_a_resource_of_another_namespace(cluster: Any) -> None:
    cluster.add("bird-0", "bird", job_namespace="victims")
    with pytest.raises(NotAllowedError, match="no resource of its namespace"):
        resource_of(POD, None, cluster)


def test_labels_are_not_believed(cluster: Any) -> None:
    cluster.add("bird-0", "bird")
    labels = {"swiftlet.dev/kind": "FineTuneJob", "swiftlet.dev/name": "bird", "swiftlet.dev/owner-uid": "uid-bird"}
    metadata = cluster.objects["Pod", "team", "bird-0"]["metadata"]
    del metadata["ownerReferences"]
    metadata["labels"] = labels
    with pytest.raises(NotAllowedError, match="no resource of its namespace"):
        resource_of(POD, None, cluster)


@pytest.mark.parametrize("kind", ["Pod", "Job"])
def test_a_controller_of_that_name_from_before(cluster: Any, kind: str) -> None:
    cluster.add("bird-0", "bird")
    name = {"Pod": "bird-0", "Job": "bird-train-0"}[kind]
    cluster.objects[kind, "team", name]["metadata"]["ownerReferences"][0]["uid"] = "of-a-predecessor"
    with pytest.raises(NotAllowedError, match="no resource of its namespace"):
        resource_of(POD, None, cluster)
