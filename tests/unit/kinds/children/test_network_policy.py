"""Who may talk to the pods of each kind."""

from typing import Any

import pytest
from swiftlet.api.schema.validation import validate

PROFILE = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile", "metadata": {"name": "default"}}
NAMES = {"FineTuneJob": "bird-train", "EvalRun": "bird-eval", "ModelDeployment": "bird-serve"}


def made(world: Any, documents: Any, kind: str, **spec: Any) -> None:
    """The resource and what it needs, looked at once."""
    if kind != "FineTuneJob":
        world.trained()
    if kind == "ModelDeployment":
        world.evaluated()
    world.add(documents[kind], **spec)
    world.reconcile(kind)


def policy(world: Any, kind: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = world.get("NetworkPolicy", "default", NAMES[kind])
    return found


def template(world: Any, kind: str) -> dict[str, Any]:
    (found,) = [
        one["spec"]["template"]
        for one in world.objects.values()
        if one["kind"] in ("Job", "Deployment") and one["metadata"]["labels"]["swiftlet.dev/kind"] == kind
    ]
    return dict(found)


@pytest.mark.parametrize("kind", NAMES)
def test_a_policy_selects_the_pods_of_its_resource_and_comes_before_them(world: Any, documents: Any, kind: str) -> None:
    made(world, documents, kind)
    found = policy(world, kind)
    assert found is not None
    labels = template(world, kind)["metadata"]["labels"]
    selected = found["spec"]["podSelector"]["matchLabels"]
    assert selected.items() <= labels.items()
    assert selected["swiftlet.dev/owner-uid"] == labels["swiftlet.dev/owner-uid"]
    assert found["spec"]["policyTypes"] == ["Ingress"]
    kinds = [key[0] for key in world.objects]
    assert kinds.index("NetworkPolicy") < max(kinds.index(one) for one in ("Job", "Deployment") if one in kinds)


def test_pods_of_a_run_reach_each_other_and_nobody_else_does(world: Any, documents: Any) -> None:
    made(world, documents, "FineTuneJob", parallelism={"nodes": 2})
    found = policy(world, "FineTuneJob")
    assert found is not None
    assert found["spec"]["ingress"] == [{"from": [{"podSelector": found["spec"]["podSelector"]}]}]


def test_nobody_reaches_an_evaluation(world: Any, documents: Any) -> None:
    made(world, documents, "EvalRun")
    found = policy(world, "EvalRun")
    assert found is not None
    assert "ingress" not in found["spec"]


GATEWAY = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gateway"}}}
EVERY: dict[str, Any] = {"matchLabels": {}}
OFFICE = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.9.0.0/16"]}}


@pytest.mark.parametrize(
    ("allowed", "peers"),
    [
        (None, [{"podSelector": {}}]),
        ([GATEWAY, OFFICE], [GATEWAY, OFFICE]),
        (
            [{"podSelector": {}, "namespaceSelector": {}}],
            [{p: {"matchLabels": {}} for p in ("namespaceSelector", "podSelector")}],
        ),
    ],
)
def test_a_server_is_reached_by_whom_its_document_names(world: Any, documents: Any, allowed: Any, peers: Any) -> None:
    made(world, documents, "ModelDeployment", api={"port": 9000} | ({"allowFrom": allowed} if allowed else {}))
    found = policy(world, "ModelDeployment")
    assert found is not None
    assert found["spec"]["ingress"] == [{"from": peers, "ports": [{"protocol": "TCP", "port": 9000}]}]


def test_an_empty_list_lets_nobody_in(world: Any, documents: Any) -> None:
    made(world, documents, "ModelDeployment", api={"allowFrom": []})
    found = policy(world, "ModelDeployment")
    assert found is not None
    assert "ingress" not in found["spec"]


@pytest.mark.parametrize("kind", NAMES)
def test_a_profile_without_policies(world: Any, documents: Any, kind: str) -> None:
    made(world, documents, kind)
    assert policy(world, kind)
    world.add(PROFILE, networkPolicy="Disabled")
    outcome = world.reconcile(kind)
    assert "NetworkPolicy" in [ref.kind for ref in outcome.delete]
    assert policy(world, kind) is None
    outcome = world.reconcile(kind)
    assert "NetworkPolicy" not in [manifest["kind"] for manifest in outcome.desired]


@pytest.mark.parametrize("kind", NAMES)
def test_a_profile_that_is_gone_takes_no_policy_away(world: Any, documents: Any, kind: str) -> None:
    world.add({**PROFILE, "metadata": {"name": "strict"}})
    made(world, documents, kind, compute={"profileRef": {"name": "strict"}})
    del world.objects["ComputeProfile", None, "strict"]
    world.add(PROFILE, networkPolicy="Disabled")
    world.reconcile(kind)
    assert policy(world, kind)


def test_naming_clients_without_a_policy_is_refused(world: Any, documents: Any) -> None:
    world.add(PROFILE, networkPolicy="Disabled")
    made(world, documents, "ModelDeployment", api={"allowFrom": [GATEWAY]})
    status, reason, message = world.condition("ModelDeployment", "Accepted")
    assert (status, reason) == ("False", "InvalidPlan")
    assert "spec.api.allowFrom: networkPolicy of ComputeProfile default is Disabled" in message


@pytest.mark.parametrize(
    "peer",
    [
        {},
        {"podSelector": {}, "ipBlock": {"cidr": "10.0.0.0/8"}},
        {"ipBlock": {"cidr": "10.0.0.1"}},
        {"ipBlock": {"cidr": "everywhere"}},
        {"podSelector": {"matchLabels": {"a": "b c"}}},
    ],
)
def test_peers_that_mean_nothing_are_refused(documents: Any, peer: dict[str, Any]) -> None:
    document = documents["ModelDeployment"]
    document["spec"]["api"] = {"allowFrom": [peer]}
    assert [problem.field for problem in validate(document) if problem.field.startswith("spec.api.allowFrom[0]")]
