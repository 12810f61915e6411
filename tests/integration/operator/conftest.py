"""The operator under the chart's own permissions, in a namespace of a test, as the official client sees it."""

import contextlib
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from testbed.controlplane import ControlPlane
from testbed.jobset import JobSet
from testbed.operator_process import OperatorProcess
from testbed.played_pods import ended, good_end, running

Object = dict[str, Any]

RBAC = Path(__file__).parents[3] / "helm/swiftlet/templates/rbac.yaml"
ACCOUNT = "swiftlet-operator"
HOME = "swiftlet-system"
"""Namespace of the operator's account and Lease."""
USER = f"system:serviceaccount:{HOME}:{ACCOUNT}"
OWNER = "swiftlet.dev/owner-uid"
PLURALS = {"FineTuneJob": "finetunejobs", "EvalRun": "evalruns", "ModelDeployment": "modeldeployments"}


def rules() -> str:
    """The chart's roles, as the chart gives them for all namespaces; bindings to the account of the tests."""
    text = RBAC.read_text()
    text = re.sub(r"\{\{- if [^}]*ownerReferencesPermissionEnforcement.*?\{\{- end \}\}\n", "", text, flags=re.S)
    text = text.replace("{{ $name }}", ACCOUNT).replace("{{ .Release.Namespace }}", HOME)
    roles = [part for part in re.split(r"^---$", text, flags=re.M) if re.search(r"^kind: (Cluster)?Role$", part, re.M)]
    kept = ["\n".join(line for line in role.splitlines() if "{{" not in line) for role in roles]
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": HOME}
    for kind, role, namespace in (
        ("ClusterRole", ACCOUNT, None),
        ("ClusterRole", f"{ACCOUNT}-workloads", None),
        ("Role", ACCOUNT, HOME),
    ):
        metadata = f"{{name: {role}" + (f", namespace: {namespace}}}" if namespace else "}")
        kept.append(
            f"apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}Binding\nmetadata: {metadata}\n"
            f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: {role}}}\nsubjects: [{subject}]"
        )
    return "\n---\n".join(kept)


@pytest.fixture(scope="session")
def account(control_plane: ControlPlane) -> Path:
    """Kubeconfig of the operator's account, which may do what the chart's rules say and nothing else."""
    control_plane.kubectl("create", "namespace", HOME)
    control_plane.kubectl("create", "serviceaccount", ACCOUNT, "-n", HOME)
    control_plane.kubectl("apply", "-f", "-", stdin=rules())
    return control_plane.service_account_kubeconfig(HOME, ACCOUNT)


def _told(event: Object) -> str:
    """A line about an event of the audit log."""
    return f"{event['verb']} {event['objectRef']['resource']}/{event['objectRef'].get('name', '')}"


@dataclass
class Place:
    """A namespace with what a FineTuneJob needs, and what happens in it."""

    control_plane: ControlPlane
    api: client.ApiClient
    namespace: str
    account: Path

    def __post_init__(self) -> None:
        self.core, self.batch, self.apps = (
            client.CoreV1Api(self.api),
            client.BatchV1Api(self.api),
            client.AppsV1Api(self.api),
        )
        self.networking = client.NetworkingV1Api(self.api)
        self.custom, self.rbac = client.CustomObjectsApi(self.api), client.RbacAuthorizationV1Api(self.api)

    def add_rows(self, name: str = "rows") -> None:
        """The ConfigMap that jobs of `job` train on."""
        self.core.create_namespaced_config_map(
            self.namespace, {"metadata": {"name": name}, "data": {"train.jsonl": '{"text": "a"}\n'}}
        )

    def add_claim(self) -> None:
        """The claim for artifacts."""
        spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
        claim = {"metadata": {"name": "swiftlet-artifacts"}, "spec": spec}
        self.core.create_namespaced_persistent_volume_claim(self.namespace, claim)

    def create(self, document: Object) -> str:
        """Create a resource of ours; its uid."""
        where = ("swiftlet.dev", "v1alpha1", self.namespace, PLURALS[document["kind"]])
        return str(self.custom.create_namespaced_custom_object(*where, document)["metadata"]["uid"])

    def get(self, kind: str, name: str) -> Object:
        """A resource of ours. Raises ApiException when it is gone."""
        where = ("swiftlet.dev", "v1alpha1", self.namespace, PLURALS[kind])
        return dict(self.custom.get_namespaced_custom_object(*where, name))

    def delete(self, kind: str, name: str) -> None:
        """Delete a resource of ours."""
        where = ("swiftlet.dev", "v1alpha1", self.namespace, PLURALS[kind])
        self.custom.delete_namespaced_custom_object(*where, name)

    def condition(self, kind: str, name: str, type_: str) -> tuple[str, str]:
        """(status, reason) of a condition; empty while it is not there."""
        conditions = (self.get(kind, name).get("status") or {}).get("conditions") or []
        return next(((found["status"], found["reason"]) for found in conditions if found["type"] == type_), ("", ""))

    def await_condition(self, kind: str, name: str, type_: str, status: str, reason: str, seconds: float = 90) -> None:
        """Wait for a condition."""
        self.wait(
            lambda: self.condition(kind, name, type_) == (status, reason), f"{name} {type_} {status} {reason}", seconds
        )

    def wait(self, holds: Callable[[], bool], what: str, seconds: float = 90) -> None:
        """Wait until something holds. Raises AssertionError."""
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
            time.sleep(0.05)

    def children(self, uid: str) -> dict[str, list[Any]]:
        """What carries the resource's label, by kind, as the official client's objects."""
        selector = {"label_selector": f"{OWNER}={uid}"}
        lists = {
            "ConfigMap": self.core.list_namespaced_config_map,
            "Service": self.core.list_namespaced_service,
            "NetworkPolicy": self.networking.list_namespaced_network_policy,
            "Job": self.batch.list_namespaced_job,
            "Deployment": self.apps.list_namespaced_deployment,
            "Pod": self.core.list_namespaced_pod,
        }
        found = {kind: list_(self.namespace, **selector).items for kind, list_ in lists.items()}
        return {kind: items for kind, items in found.items() if items}

    def await_children(self, uid: str, *kinds: str) -> dict[str, list[Any]]:
        """Wait until there is a child of each kind."""
        self.wait(lambda: set(kinds) <= set(self.children(uid)), f"{kinds} of {uid}")
        return self.children(uid)

    def play(self, uid: str, exit_code: int = 0, message: Object | str = "", runs: bool = False) -> None:
        """End the pods of a resource as its kubelet would tell it (well, or with an exit code or message), or let them
        run."""
        for item in self.await_children(uid, "Pod")["Pod"]:
            pod = self.api.sanitize_for_serialization(item)
            said = ended(pod, exit_code, message) if exit_code or message else good_end(pod)
            status = running(pod) if runs else said
            self.core.patch_namespaced_pod_status(item.metadata.name, self.namespace, {"status": status})

    def events(self, name: str) -> dict[str, int]:
        """How often each reason was told about a resource."""
        found = self.core.list_namespaced_event(self.namespace, field_selector=f"involvedObject.name={name}").items
        return {event.reason: event.count or 1 for event in found}

    def writes(self) -> list[str]:
        """Every write of the operator in this namespace so far, as the API server has noted it."""
        return [_told(event) for event in self._written() if event["user"].get("username") == USER]

    def changes(self) -> list[str]:
        """Every change so far of what the operator looks at in this namespace, made by others: people, controllers,
        the scheduler."""
        return [
            _told(event)
            for event in self._written()
            if event["user"].get("username") != USER
            and event["objectRef"]["resource"] != "events"
            and event["responseStatus"]["code"] < 300
        ]

    def _written(self) -> list[Object]:
        return [
            event
            for event in self.control_plane.audit_events()
            if event["verb"] not in ("get", "list", "watch")
            and (event.get("objectRef") or {}).get("namespace") == self.namespace
        ]

    def await_rest(self, seconds: float = 2.0) -> list[str]:
        """Wait until nothing has been written for a while; all writes."""
        written, since = self.writes(), time.monotonic()
        deadline = time.monotonic() + 120
        while time.monotonic() - since < seconds:
            assert time.monotonic() < deadline, f"writes go on and on: {written[-10:]}"
            time.sleep(0.1)
            now = self.writes()
            if now != written:
                written, since = now, time.monotonic()
        return written

    def mark(self) -> tuple[int, int]:
        """Where `few_writes_since` begins to count."""
        return len(self.writes()), len(self.changes())

    def few_writes_since(self, mark: tuple[int, int]) -> list[str]:
        """Wait until nothing has been written for a while; all writes since a mark.

        Raises AssertionError where a status was written more often than others have changed something, but for two
        writes of what the operator found out by itself: how many changes become one write is a matter of timing.
        """
        written = self.await_rest(4.0)[mark[0] :]
        changes = self.changes()[mark[1] :]
        statuses = [write for write in written if any(f"patch {plural}/" in write for plural in PLURALS.values())]
        assert len(statuses) <= len(changes) + 2, (written, changes)
        return written


@pytest.fixture(scope="session")
def jobset(control_plane: ControlPlane) -> Iterator[JobSet]:
    """The real JobSet runs beside the control plane."""
    with JobSet(control_plane) as running_one:
        yield running_one


@pytest.fixture
def bare_place(control_plane: ControlPlane, kube: client.ApiClient, namespace: str, account: Path) -> Place:
    """A namespace without the things that a job needs."""
    return Place(control_plane, kube, namespace, account)


@pytest.fixture
def place(bare_place: Place) -> Place:
    """A namespace in which a job can start."""
    bare_place.add_rows()
    bare_place.add_claim()
    return bare_place


@pytest.fixture
def start_operator(place: Place) -> Iterator[Callable[..., OperatorProcess]]:
    """Starts operators for the test's namespace; they end with the test."""
    with contextlib.ExitStack() as stack:

        def start(*flags: str) -> OperatorProcess:
            process = OperatorProcess(place.control_plane, place.account, place.namespace, *flags)
            stack.callback(process.kill)
            process.start()
            return process

        yield start


@pytest.fixture
def operator(start_operator: Callable[..., OperatorProcess]) -> OperatorProcess:
    """An operator that has listed everything."""
    process = start_operator()
    process.wait_ready()
    return process


@pytest.fixture
def job() -> Callable[..., Object]:
    """A FineTuneJob by name; other arguments replace fields of its spec."""

    def make(name: str | None = None, **spec: Any) -> Object:
        return {
            "apiVersion": "swiftlet.dev/v1alpha1",
            "kind": "FineTuneJob",
            "metadata": {"name": name or f"job-{uuid.uuid4().hex[:6]}"},
            "spec": {
                "model": {"uri": "hf://HuggingFaceTB/SmolLM2-135M-Instruct"},
                "datasets": [{"uri": "configmap://rows/train.jsonl"}],
                **spec,
            },
        }

    return make
