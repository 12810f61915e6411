import base64
from typing import Any

from testbed.jobset import adapted


def test_webhooks_of_jobsets_are_called_on_loopback_and_those_of_pods_are_left_out() -> None:
    hooks = [
        {"name": name, "clientConfig": {"service": {"path": f"/{name}"}}}
        for name in ("mjobset.kb.io", "mpod.kb.io", "vpod.kb.io")
    ]
    manifests: list[dict[str, Any]] = [
        {"kind": "MutatingWebhookConfiguration", "webhooks": hooks},
        {"kind": "Deployment"},
        {"kind": "ClusterRole"},
    ]
    found = list(adapted(iter(manifests), 7443, b"PEM"))
    assert [item["kind"] for item in found] == ["MutatingWebhookConfiguration", "ClusterRole"]
    (hook,) = found[0]["webhooks"]
    ca = base64.b64encode(b"PEM").decode()
    assert hook["clientConfig"] == {"url": "https://127.0.0.1:7443/mjobset.kb.io", "caBundle": ca}
