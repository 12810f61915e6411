from swiftlet.cli.acting.obstacles.mentions import mentions_of


def test_all_that_a_pod_names_and_cannot_do_without() -> None:
    reference = {"name": "hub", "key": "token"}
    container = {
        "name": "train",
        "env": [{"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": reference}}, {"name": "A", "value": "b"}],
        "envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "may-lack", "optional": True}}],
    }
    volumes = [
        {"name": "a", "persistentVolumeClaim": {"claimName": "artifacts"}},
        {"name": "b", "secret": {"secretName": "keys"}},
        {"name": "c", "projected": {"sources": [{"configMap": {"name": "ca"}}, {"secret": {"name": "s3"}}]}},
        {"name": "d", "emptyDir": {}},
    ]
    pod = {
        "serviceAccountName": "trainer",
        "priorityClassName": "high",
        "imagePullSecrets": [{"name": "registry"}],
        "volumes": volumes,
        "initContainers": [container],
        "containers": [container],
    }
    assert [f"{one.kind} {one.name}" for one in mentions_of(pod)] == [
        "ServiceAccount trainer",
        "PriorityClass high",
        "Secret registry",
        "PersistentVolumeClaim artifacts",
        "Secret keys",
        "ConfigMap ca",
        "Secret s3",
        "Secret hub",
        "ConfigMap settings",
    ]
    assert mentions_of({"priorityClassName": "system-node-critical", "containers": []}) == []
