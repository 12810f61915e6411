from fractions import Fraction

from swiftlet.cli.acting.obstacles.pod import pods_of

GI = 2**30


def test_containers_together_or_the_largest_that_comes_before_them() -> None:
    spec = {
        "initContainers": [{"name": "fetch", "resources": {"requests": {"cpu": "500m"}, "limits": {"memory": "6Gi"}}}],
        "containers": [
            {"name": "train", "resources": {"limits": {"cpu": 1, "memory": "2Gi"}}},
            {"name": "side", "resources": {"requests": {"cpu": "250m", "memory": "1Gi"}}},
        ],
    }
    pod = pods_of({"kind": "Deployment", "spec": {"replicas": 3, "template": {"spec": spec}}})
    assert pod is not None
    assert pod.count == 3
    assert pod.requests == {"cpu": Fraction(5, 4), "memory": 6 * GI}
    assert pod.limits == {"cpu": 1, "memory": 6 * GI}


def test_other_objects_have_no_pods() -> None:
    assert pods_of({"kind": "Service", "spec": {}}) is None
