import base64
from typing import Any

from testbed.kueue import adapted

SELECTOR = {"queues": "yes"}


def hooks(kind: str, *names: str) -> dict[str, Any]:
    return {
        "kind": kind,
        "webhooks": [
            {"name": name, "clientConfig": {"service": {"name": "w", "path": f"/{name}"}}, "namespaceSelector": {}}
            for name in names
        ],
    }


def test_webhooks_are_called_on_loopback_and_for_the_chosen_namespaces_only() -> None:
    manifests = [hooks("MutatingWebhookConfiguration", "mjob.kb.io", "mrayjob.kb.io", "mpod.kb.io", "mworkload.kb.io")]
    (item,) = adapted(manifests, 7443, b"PEM", SELECTOR)
    job, pod, workload = item["webhooks"]
    assert job["clientConfig"] == {
        "url": "https://127.0.0.1:7443/mjob.kb.io",
        "caBundle": base64.b64encode(b"PEM").decode(),
    }
    assert job["namespaceSelector"] == pod["namespaceSelector"] == {"matchLabels": SELECTOR}
    assert workload["name"] == "mworkload.kb.io" and workload["namespaceSelector"] == {}


def test_conversions_are_called_on_loopback_and_what_pods_need_is_left_out() -> None:
    conversion = {"webhook": {"clientConfig": {"service": {"path": "/convert"}}}}
    manifests: list[dict[str, Any]] = [
        {"kind": "CustomResourceDefinition", "spec": {"conversion": conversion}},
        {"kind": "CustomResourceDefinition", "spec": {}},
        {"kind": "Deployment"},
        {"kind": "Secret"},
        {"kind": "APIService"},
        {"kind": "ClusterRole"},
    ]
    found = list(adapted(manifests, 7443, b"PEM", SELECTOR))
    assert [item["kind"] for item in found] == ["CustomResourceDefinition", "CustomResourceDefinition", "ClusterRole"]
    assert found[0]["spec"]["conversion"]["webhook"]["clientConfig"]["url"] == "https://127.0.0.1:7443/convert"
