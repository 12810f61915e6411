"""Who fetches from object storage, and who has its credentials."""

from typing import Any

PROFILE = {
    "apiVersion": "swiftlet.dev/v1alpha1",
    "kind": "ComputeProfile",
    "metadata": {"name": "default"},
    "spec": {"storage": {"s3": {"endpoint": "https://s3.example", "secretName": "keys", "mostFetched": "1Gi"}}},
}


def pod_of(world: Any, kind: str, template_of: str) -> dict[str, Any]:
    objects = world.look(kind).desired
    spec: dict[str, Any] = next(one for one in objects if one["kind"] == template_of)["spec"]["template"]["spec"]
    return spec


def fetching(pod: dict[str, Any]) -> list[str]:
    """Arguments of the container that fetches."""
    (found,) = [one for one in pod["initContainers"] if one["name"] == "fetch"]
    command: list[str] = found["command"]
    return command[4:]


def holders(pod: dict[str, Any]) -> list[str]:
    """Containers that have credentials."""
    containers = [*pod.get("initContainers", []), *pod["containers"]]
    return [one["name"] for one in containers if any(env["name"].startswith("AWS_") for env in one.get("env", []))]


def test_a_run_fetches_before_it_prepares(world: Any, documents: Any) -> None:
    world.add(PROFILE)
    world.add(
        documents["FineTuneJob"], model={"uri": "s3://bucket/models/a"}, datasets=[{"uri": "s3://bucket/rows.jsonl"}]
    )
    pod = pod_of(world, "FineTuneJob", "Job")
    assert [one["name"] for one in pod["initContainers"]] == ["folder", "fetch", "prepare"]
    sources = ["--source", "s3://bucket/models/a", "/swiftlet/sources/model/"]
    sources += ["--source", "s3://bucket/rows.jsonl", "/swiftlet/data/0/rows.jsonl"]
    assert fetching(pod) == ["--most", str(1 << 30), *sources]
    assert holders(pod) == ["fetch"]


def test_an_evaluation_and_a_server_fetch_models_and_adapters(world: Any, documents: Any) -> None:
    world.add(PROFILE)
    model = {"uri": "s3://bucket/models/a", "adapterUri": "s3://bucket/adapters/x"}
    suites = [{"generation": {"uri": "s3://bucket/test.jsonl"}}]
    world.add(documents["EvalRun"], target={"model": model}, baseline=None, suites=suites)
    evaluation = pod_of(world, "EvalRun", "Job")
    assert fetching(evaluation)[3::3] == ["s3://bucket/models/a", "s3://bucket/adapters/x", "s3://bucket/test.jsonl"]
    served = {"uri": "s3://bucket/models/a"}
    world.add(
        documents["ModelDeployment"],
        model=served,
        adapters=[{"name": "x", "uri": "s3://bucket/adapters/x"}],
        requires=[],
    )
    server = pod_of(world, "ModelDeployment", "Deployment")
    assert fetching(server)[3::3] == ["s3://bucket/models/a", "s3://bucket/adapters/x"]
    assert holders(evaluation) == holders(server) == ["fetch"]


def test_what_lies_on_volumes_needs_none(world: Any, documents: Any) -> None:
    world.add(PROFILE)
    world.data()
    world.add(documents["FineTuneJob"])
    pod = pod_of(world, "FineTuneJob", "Job")
    assert "fetch" not in [one["name"] for one in pod["initContainers"]] and holders(pod) == []
