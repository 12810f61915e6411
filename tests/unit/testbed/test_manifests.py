from types import SimpleNamespace
from typing import Any

import pytest
from testbed.errors import TestBedError
from testbed.manifests import await_kinds, documents, for_loopback, in_order, shipped_arguments


def test_documents_one_after_another_and_in_lists() -> None:
    text = '{"kind": "A"}\n{"kind": "List", "items": [{"kind": "B"}, {"kind": "C"}]}\n'
    assert [item["kind"] for item in documents(text)] == ["A", "B", "C"]
    assert list(documents("")) == []


def test_kinds_and_namespaces_come_first() -> None:
    items = [{"kind": "Role"}, {"kind": "CustomResourceDefinition"}, {"kind": "Namespace"}]
    first, then = in_order(items)
    assert [item["kind"] for item in (*first, *then)] == ["CustomResourceDefinition", "Namespace", "Role"]


def test_what_a_pod_needs_is_left_out_and_webhooks_are_called_on_loopback() -> None:
    hook = {"name": "a", "clientConfig": {"service": {"path": "/a"}}}
    manifests = [{"kind": "ValidatingWebhookConfiguration", "webhooks": [hook]}, {"kind": "Secret"}, {"kind": "Role"}]
    found = list(for_loopback(manifests, {"Secret"}, 7443, b"PEM"))
    assert [item["kind"] for item in found] == ["ValidatingWebhookConfiguration", "Role"]
    assert hook["clientConfig"] == {"url": "https://127.0.0.1:7443/a", "caBundle": "UEVN"}


def test_arguments_are_upstreams_but_for_those_of_a_pod() -> None:
    given = ["--config=/c.yaml", "--zap-log-level=2", "--leader-elect", "--feature-gates=A=true"]
    manifests = [{"kind": "Role"}, {"kind": "Deployment", "spec": pod({"args": given})}]
    assert shipped_arguments(manifests) == ["--zap-log-level=2", "--feature-gates=A=true"]
    assert shipped_arguments([{"kind": "Deployment", "spec": pod({})}]) == []


def pod(container: dict[str, Any]) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [container]}}}


class New:
    """A control plane whose CRDs nothing has been said of yet, when it is asked for the first `times`."""

    def __init__(self, times: int) -> None:
        self.left = times

    def kubectl(self, *args: str, check: bool = True) -> Any:
        self.left -= 1
        if self.left >= 0 and check:
            raise TestBedError("conditions accessor error")
        return SimpleNamespace(returncode=int(self.left >= 0))


def test_kinds_that_nothing_was_said_of_yet_are_asked_for_again() -> None:
    new: Any = New(2)
    await_kinds(new)
    assert new.left == -1
    never: Any = New(1000)
    with pytest.raises(TestBedError, match="accessor"):
        await_kinds(never, seconds=0.3)
