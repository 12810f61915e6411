from typing import Any

import pytest
from swiftlet.kinds import Capabilities

URL = "http://swiftlet-operator.swiftlet:8080/progress"


def templates(world: Any, documents: Any) -> dict[str, dict[str, Any]]:
    """The pod templates by the kind of their resource."""
    world.add(documents["FineTuneJob"])
    world.reconcile("FineTuneJob")
    world.trained()
    world.add(documents["EvalRun"])
    world.reconcile("EvalRun")
    world.evaluated()
    world.add(documents["ModelDeployment"])
    world.reconcile("ModelDeployment")
    found = [item["spec"]["template"] for item in world.objects.values() if item["kind"] in ("Job", "Deployment")]
    return {template["metadata"]["labels"]["swiftlet.dev/kind"]: template for template in found}


@pytest.mark.parametrize("kind", ["FineTuneJob", "EvalRun", "ModelDeployment"])
def test_pods_know_where_to_report_and_who_they_are(world: Any, documents: Any, kind: str) -> None:
    world.capabilities = Capabilities(provisions_claims=True, progress_url=URL)
    template = templates(world, documents)[kind]
    spec, uid = template["spec"], template["metadata"]["labels"]["swiftlet.dev/owner-uid"]
    assert spec["automountServiceAccountToken"] is False
    token = {"path": "token", "audience": "swiftlet-operator", "expirationSeconds": 3600}
    assert {"name": "identity", "projected": {"sources": [{"serviceAccountToken": token}]}} in spec["volumes"]
    ours = [one for one in [*spec.get("initContainers", []), *spec["containers"]] if one["name"] != "folder"]
    for container in ours:
        env = {entry["name"]: entry.get("value") for entry in container["env"]}
        assert env["SWIFTLET_PROGRESS_URL"] == env["KUBEFLOW_TRAINER_SERVER_URL"] == f"{URL}/{uid}"
        mount = {"name": "identity", "mountPath": "/swiftlet/identity", "readOnly": True}
        assert mount in container["volumeMounts"]
        for name in ("SWIFTLET_PROGRESS_TOKEN", "KUBEFLOW_TRAINER_SERVER_TOKEN"):
            assert env[name] == "/swiftlet/identity/token"


def test_an_engine_that_reads_files_gives_no_token(world: Any, documents: Any) -> None:
    for template in templates(world, documents).values():
        assert "identity" not in [volume["name"] for volume in template["spec"]["volumes"]]
        names = [entry["name"] for entry in template["spec"]["containers"][0]["env"]]
        assert not [name for name in names if name.endswith(("_URL", "_TOKEN"))]
