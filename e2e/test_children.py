"""Children that others have, that are replaced, and that are scaled away: none of the operator's rights is left out."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from installation import OPERATOR_IMAGE, default_profile
from testbed.nodes import Cluster as Bed
from watching import condition, get, items, until

NAMESPACE = "children"
MODEL = "hf://HuggingFaceTB/SmolLM2-135M-Instruct"
POD = {"containers": [{"name": "none", "image": "localhost/none"}]}
LABELS = {"app": "somebody-else"}
CONFLICTS: dict[str, tuple[str, str, str, str, dict[str, Any]]] = {
    "configmap": ("FineTuneJob", "train", "v1", "ConfigMap", {"data": {"mine": "yes"}}),  # of a long document
    "service": ("ModelDeployment", "serve", "v1", "Service", {"spec": {"ports": [{"port": 80}]}}),
    "job": (
        "FineTuneJob", "train-0", "batch/v1", "Job",
        {"spec": {"suspend": True, "template": {"spec": {**POD, "restartPolicy": "Never"}}}},
    ),
    "deployment": (
        "ModelDeployment", "serve", "apps/v1", "Deployment",
        {"spec": {"replicas": 0, "selector": {"matchLabels": LABELS},
                  "template": {"metadata": {"labels": LABELS}, "spec": POD}}},
    ),
    "networkpolicy": (
        "EvalRun", "eval", "networking.k8s.io/v1", "NetworkPolicy", {"spec": {"podSelector": {"matchLabels": LABELS}}},
    ),
    "poddisruptionbudget": (
        "ModelDeployment", "serve", "policy/v1", "PodDisruptionBudget",
        {"spec": {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}}},
    ),
}  # fmt: skip
"""By child: whose it is, how its name ends, and an object of somebody else that has that name."""
LONG = {"datasets": [{"uri": "configmap://rows/a.jsonl", "placeholders": {f"P{n}": "x" * 1024 for n in range(32)}}]}
"""Makes a job document too long for an annotation."""


@pytest.fixture(scope="module")
def submit(bed: Bed, prepared_namespace: Callable[[str], str]) -> Callable[..., None]:
    """Apply a document of this module; other arguments replace fields of its spec."""
    namespace = prepared_namespace(NAMESPACE)
    row = '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'
    bed.apply(
        {
            **{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "rows", "namespace": namespace}},
            "data": {"a.jsonl": row * 8},
        }
    )
    documents: dict[str, dict[str, Any]] = {
        "FineTuneJob": {
            "model": {"uri": MODEL},
            "datasets": [{"uri": "configmap://rows/a.jsonl"}],
            "tuner": {"lora": {"rank": 4}},
            "training": {"maxSteps": 2, "globalBatchSize": 4},
        },
        "EvalRun": {
            "target": {"model": {"uri": MODEL}},
            "suites": [{"perplexity": {"uri": "configmap://rows/a.jsonl"}}],
        },
        "ModelDeployment": {"model": {"uri": MODEL}, "replicas": 2},
    }

    def apply(kind: str, name: str, **spec: Any) -> None:
        metadata = {"name": name, "namespace": namespace}
        document = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": kind, "metadata": metadata}
        bed.apply({**document, "spec": {**documents[kind], **spec}})

    return apply


@pytest.fixture(scope="module")
def broken_images(bed: Bed, installed: str) -> dict[str, Any]:
    """Reference to a ComputeProfile whose pods start at once and die at once: their image has no trainer."""
    document = default_profile(bed)
    images = {"trainer": OPERATOR_IMAGE, "server": OPERATOR_IMAGE}
    metadata = {"name": "broken-images"}
    bed.apply({**document, "metadata": metadata, "spec": {**document["spec"], "images": images}})
    return {"profileRef": metadata}


@pytest.fixture(scope="module", autouse=True)
def attempts(submit: Callable[..., None], broken_images: dict[str, Any]) -> str:
    """A run that is tried three more times, later each time: it fails while the other tests run. Its name."""
    submit("FineTuneJob", "attempts", compute=broken_images, backoffLimit=3)
    return "attempts"


def accepted(bed: Bed, kind: str, name: str) -> dict[str, Any]:
    return condition(get(bed, NAMESPACE, kind, name), "Accepted")


@pytest.mark.parametrize("child", CONFLICTS)
def test_a_name_that_somebody_else_has(bed: Bed, submit: Any, broken_images: Any, child: str) -> None:
    owner, ending, version, kind, content = CONFLICTS[child]
    metadata = {"name": f"taken-{child}-{ending}", "namespace": NAMESPACE}
    theirs = {"apiVersion": version, "kind": kind, "metadata": metadata, **content}
    bed.apply(theirs)
    before = get(bed, NAMESPACE, child, metadata["name"])
    submit(owner, f"taken-{child}", compute=broken_images, **(LONG if child == "configmap" else {}))
    until("a refusal", lambda: accepted(bed, owner, f"taken-{child}").get("reason") == "NameConflict", 240)
    message = accepted(bed, owner, f"taken-{child}")["message"]
    assert f"{kind} {NAMESPACE}/{metadata['name']} exists and does not belong to this {owner}" in message
    after = get(bed, NAMESPACE, child, metadata["name"])
    assert before is not None
    assert after is not None
    for part in ("spec", "data"):
        assert after.get(part) == before.get(part)
    assert "swiftlet" not in json.dumps(after["metadata"].get("labels") or {})


def test_a_budget_goes_when_one_replica_is_left(bed: Bed, submit: Any, broken_images: Any) -> None:
    submit("ModelDeployment", "scaled", compute=broken_images)
    until("a budget", lambda: get(bed, NAMESPACE, "pdb", "scaled-serve"), 240)
    submit("ModelDeployment", "scaled", compute=broken_images, replicas=1)
    until("no budget", lambda: get(bed, NAMESPACE, "pdb", "scaled-serve") is None, 240)
    # What is to go goes before anything else is changed.
    until(
        "one replica", lambda: (get(bed, NAMESPACE, "deployment", "scaled-serve") or {})["spec"]["replicas"] == 1, 240
    )


def test_revisions_go_when_the_history_is_over(bed: Bed, submit: Any, broken_images: Any) -> None:
    engine = {"maxModelLength": 512}
    submit("ModelDeployment", "scaled", compute=broken_images, replicas=0, revisionHistoryLimit=0, engine=engine)
    of_the_server = "swiftlet.dev/name=scaled"

    def history() -> list[int]:
        return [one["revision"] for one in items(bed, NAMESPACE, "controllerrevisions", of_the_server)]

    until("the second revision alone", lambda: history() == [2], 240)


def test_a_policy_goes_when_the_profile_says_so(bed: Bed, submit: Any, broken_images: Any) -> None:
    document = {**default_profile(bed), "metadata": {"name": "open"}}
    bed.apply(document)
    submit("ModelDeployment", "open", compute={"profileRef": {"name": "open"}})
    until("a policy", lambda: get(bed, NAMESPACE, "networkpolicy", "open-serve"), 240)
    bed.apply({**document, "spec": {**document["spec"], "networkPolicy": "Disabled"}})
    until("no policy", lambda: get(bed, NAMESPACE, "networkpolicy", "open-serve") is None, 240)


def test_an_event_that_comes_again_is_counted(bed: Bed, submit: Any) -> None:
    def seen(reason: str) -> dict[str, Any]:
        selector = f"involvedObject.name=blinks,reason={reason}"
        found = bed.kubectl("get", "events", "-n", NAMESPACE, "--field-selector", selector, "-o", "json").stdout
        events: list[dict[str, Any]] = json.loads(found)["items"]
        return events[0] if events else {}

    nowhere = {"gpus": 1}  # No node has one, so that the pod neither ends nor runs.
    for times in (1, 2):
        submit("FineTuneJob", "blinks", compute=nowhere, suspend=True)
        until("it is suspended", lambda times=times: seen("Suspended").get("count") == times, 240)
        submit("FineTuneJob", "blinks", compute=nowhere, suspend=False)
        until("it goes on", lambda times=times: seen("Resumed").get("count") == times, 240)


def test_only_the_last_attempts_are_kept(bed: Bed, attempts: str) -> None:
    def summary() -> dict[str, Any]:
        return condition(get(bed, NAMESPACE, "ftj", attempts), "Succeeded")

    until("the end", lambda: summary().get("reason") == "BackoffLimitExceeded", 600)
    assert "restarted 3 times, raise spec.backoffLimit to try again" in summary()["message"]

    def names() -> list[str]:
        return [job["metadata"]["name"] for job in items(bed, NAMESPACE, "jobs", f"swiftlet.dev/name={attempts}")]

    # A Job goes when the garbage collector has taken its pods.
    last = ["attempts-train-1", "attempts-train-2", "attempts-train-3"]
    until("the last three alone", lambda: names() == last, 240)
