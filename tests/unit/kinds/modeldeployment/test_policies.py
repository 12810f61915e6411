from typing import Any

import pytest
from swiftlet.kinds import Capabilities

SECRET = {"apiKey": {"secretRef": {"name": "keys", "key": "token"}}}


def accepted(world: Any, documents: Any, **spec: Any) -> tuple[str, str, str]:
    world.trained(**spec.pop("artifact", {}))
    world.evaluated()
    world.add(documents["ModelDeployment"], **spec)
    world.reconcile("ModelDeployment")
    return world.condition("ModelDeployment", "Accepted")


@pytest.mark.parametrize(
    ("spec", "reason", "said"),
    [
        ({"engine": {"name": "transformers", "args": ["--x"]}}, "InvalidPlan", "takes no arguments"),
        ({"engine": {"args": ["--worker-cls=x", "--chat-template", "y"]}}, "ArgumentRefused", "--chat-template is not"),
        ({"api": {"apiKey": {"file": "/key"}}}, "LocalPathNotAllowed", "use apiKey.secretRef"),
        ({"api": {"servedName": "base"}}, "InvalidPlan", "base would mean several models"),
        ({"artifact": {"type": "model"}, "api": {"baseServedName": "b"}}, "InvalidPlan", "no base to serve"),
        ({"adapters": [{"name": "a", "uri": "hf://org/a"}]}, "MirrorRequired", "adapter a hf://org/a"),
    ],
)
def test_refusals(world: Any, documents: Any, spec: dict[str, Any], reason: str, said: str) -> None:
    status, found, message = accepted(world, documents, **spec)
    assert (status, found) == ("False", reason)
    assert said in message


def other_job(world: Any, documents: Any, **artifact: Any) -> None:
    job = world.add({**documents["FineTuneJob"], "metadata": {"name": "other"}})
    known = {
        "uri": "pvc://swiftlet-artifacts/other",
        "digest": "sha256:o",
        "type": "adapter",
        "baseDigest": "sha256:base",
    }
    job["status"] = {"artifact": {**known, **artifact}}


@pytest.mark.parametrize(
    ("artifact", "reason"),
    [({}, "Planned"), ({"baseDigest": "sha256:another"}, "AdapterBaseMismatch"), ({"type": "model"}, "InvalidPlan")],
)
def test_adapters_of_other_jobs(world: Any, documents: Any, artifact: dict[str, str], reason: str) -> None:
    other_job(world, documents, **artifact)
    adapters = [{"name": "other", "fineTuneJobRef": {"name": "other"}}]
    assert accepted(world, documents, adapters=adapters)[1] == reason


def test_a_secret_is_looked_for_where_secrets_can_be_read(world: Any, documents: Any) -> None:
    world.capabilities = Capabilities(provisions_claims=True, reads_secrets=True)
    assert accepted(world, documents, api=SECRET)[:2] == ("Unknown", "ReferenceNotFound")
    world.put({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "data": {"other": "eA=="}})
    world.reconcile("ModelDeployment")
    assert "has no key token" in world.condition("ModelDeployment", "Accepted")[2]
    world.objects["Secret", "default", "keys"]["data"]["token"] = "eA=="
    world.reconcile("ModelDeployment")
    assert world.condition("ModelDeployment", "Accepted")[0] == "True"


def test_a_key_file_where_the_engine_allows_it(world: Any, documents: Any) -> None:
    world.capabilities = Capabilities(host_paths=True, provisions_claims=True)
    assert accepted(world, documents, api={"apiKey": {"file": "/key"}})[0] == "True"
    volumes = world.objects["Deployment", "default", "bird-serve"]["spec"]["template"]["spec"]["volumes"]
    assert {"name": "api-key", "hostPath": {"path": "/key", "type": "File"}} in volumes
