"""One namespace with an operator behind a fault proxy, seen and changed through the official Kubernetes client."""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kubernetes import client, config

from testbed.controlplane import ControlPlane
from testbed.fault_proxy import FaultProxy
from testbed.operator_process import OperatorProcess
from testbed.played_pods import ended, good_end, running

Object = dict[str, Any]
GROUP, VERSION = "swiftlet.dev", "v1alpha1"
PLURALS = {"FineTuneJob": "finetunejobs", "EvalRun": "evalruns", "ModelDeployment": "modeldeployments"}
OWNER = "swiftlet.dev/owner-uid"


class Scene:
    """A context manager: the proxy and the operator run while it is entered. The namespace must exist."""

    def __init__(self, control_plane: ControlPlane, namespace: str, folder: Path, *flags: str) -> None:
        """flags: of the operator."""
        self.namespace = namespace
        self.proxy = FaultProxy(control_plane.kubeconfig, folder)
        self.operator = OperatorProcess(control_plane, self.proxy.kubeconfig, namespace, *flags)
        self.api = config.new_client_from_config(str(control_plane.kubeconfig))
        # Its types ask for models of every field, where it takes and gives documents just as well.
        self.core: Any = client.CoreV1Api(self.api)
        self.custom: Any = client.CustomObjectsApi(self.api)
        self.batch: Any = client.BatchV1Api(self.api)
        self.apps: Any = client.AppsV1Api(self.api)
        self.networking: Any = client.NetworkingV1Api(self.api)

    def __enter__(self) -> Self:
        self.proxy.__enter__()
        try:
            self.operator.start()
            self.operator.wait_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.operator.kill()
        self.proxy.__exit__(kind, error, trace)
        self.api.close()

    def create_claim(self, name: str = "swiftlet-artifacts") -> None:
        """The claim that resources of the namespace keep artifacts on."""
        spec = {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}}
        self.core.create_namespaced_persistent_volume_claim(self.namespace, {"metadata": {"name": name}, "spec": spec})

    # Resources

    def create(self, document: Object) -> Object:
        """Create a resource of ours; as stored."""
        where = (GROUP, VERSION, self.namespace, PLURALS[document["kind"]])
        return dict(self.custom.create_namespaced_custom_object(*where, document))

    def get(self, kind: str, name: str) -> Object:
        """A resource of ours. Raises ApiException when it is gone."""
        return dict(self.custom.get_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURALS[kind], name))

    def patch(self, kind: str, name: str, patch: Object) -> Object:
        """JSON merge patch of a resource of ours."""
        where = (GROUP, VERSION, self.namespace, PLURALS[kind], name)
        return dict(self.custom.patch_namespaced_custom_object(*where, patch))

    def delete(self, kind: str, name: str) -> None:
        """Delete a resource of ours; its children follow in the background."""
        self.custom.delete_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURALS[kind], name)

    def condition(self, kind: str, name: str, type_: str) -> tuple[str, str, str]:
        """(status, reason, message) of a condition; empty texts while it is not there."""
        conditions = (self.get(kind, name).get("status") or {}).get("conditions") or []
        found: Object = next((condition for condition in conditions if condition["type"] == type_), {})
        return found.get("status", ""), found.get("reason", ""), found.get("message", "")

    def events(self, name: str) -> dict[tuple[str, str], int]:
        """How often each (reason, message) was told about a resource."""
        about = f"involvedObject.name={name}"
        told: dict[tuple[str, str], int] = {}
        for event in self.core.list_namespaced_event(self.namespace, field_selector=about).items:
            said = (event.reason, event.message)
            told[said] = told.get(said, 0) + (event.count or 1)
        return told

    def told_again(self, name: str) -> list[str]:
        """What was told more than once. PodCannotStart is left aside: played pods have no node, so the scheduler goes
        on trying, and may say so even of one that runs."""
        told = self.events(name).items()
        return [message for (reason, message), count in told if count > 1 and reason != "PodCannotStart"]

    def reasons(self, name: str) -> set[str]:
        """The reasons of the events about a resource."""
        return {reason for reason, _ in self.events(name)}

    def children(self, uid: str) -> list[tuple[str, str]]:
        """(kind, name) of everything that carries the resource's label, pods as (Pod, name of their Job)."""
        selector = {"label_selector": f"{OWNER}={uid}"}
        core, batch, apps = self.core, self.batch, self.apps
        found = []
        for kind, list_ in (
            ("ConfigMap", core.list_namespaced_config_map),
            ("Service", core.list_namespaced_service),
            ("NetworkPolicy", self.networking.list_namespaced_network_policy),
            ("Job", batch.list_namespaced_job),
            ("Deployment", apps.list_namespaced_deployment),
            ("Pod", core.list_namespaced_pod),
        ):
            for item in list_(self.namespace, **selector).items:
                owner = item.metadata.owner_references[0]
                found.append((kind, owner.name if kind == "Pod" else item.metadata.name))
        return sorted(found)

    # Pods

    def pods(self, uid: str) -> list[Object]:
        """The pods of a resource, as documents."""
        found = self.core.list_namespaced_pod(self.namespace, label_selector=f"{OWNER}={uid}").items
        return [self.api.sanitize_for_serialization(pod) for pod in found]

    def play(self, pod: Object, status: Object) -> None:
        """Write a pod's status, as its kubelet would."""
        self.core.patch_namespaced_pod_status(pod["metadata"]["name"], self.namespace, {"status": status})

    def start_pods(self, uid: str, count: int = 1) -> None:
        """Wait for the pods of a resource, and let them run."""
        for pod in self._awaited(uid, count):
            self.play(pod, running(pod))

    def end_pods(self, uid: str, count: int = 1, exit_code: int = 0, message: Object | str = "") -> None:
        """Wait for the pods, and let them end: well, or with an exit code other than 0."""
        for pod in self._awaited(uid, count):
            self.play(pod, ended(pod, exit_code, message) if exit_code else good_end(pod))

    def _awaited(self, uid: str, count: int) -> list[Object]:
        pods: list[Object] = []

        def there() -> bool:
            pods[:] = [pod for pod in self.pods(uid) if pod["status"]["phase"] in ("Pending", "Running")]
            return len(pods) == count

        self.wait(there, f"{count} pods of {uid}")
        return pods

    # Waiting

    def wait(self, holds: Callable[[], bool], what: str, seconds: float = 90) -> None:
        """Wait until something holds; an operator that was killed is started again meanwhile.

        Raises AssertionError with what the operator said.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.operator.running:
                self.operator.start()
            if holds():
                return
            time.sleep(0.05)
        raise AssertionError(f"{what}: not within {seconds:.0f} s; the operator said:\n{self.operator.log[-4000:]}")

    def wait_condition(
        self, kind: str, name: str, type_: str, status: str, reason: str = "", seconds: float = 90
    ) -> str:
        """Wait for a condition, of any reason when none is given; its message."""
        seen: list[tuple[str, str, str]] = [("", "", "")]

        def holds() -> bool:
            seen[0] = self.condition(kind, name, type_)
            return seen[0][0] == status and reason in ("", seen[0][1])

        try:
            self.wait(holds, f"{kind}/{name} {type_}={status} {reason}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{seen[0]}; {error}") from None
        return seen[0][2]

    def wait_quiet(self, seconds: float = 1.0) -> None:
        """Wait until the operator has written nothing for a while."""
        count, since = -1, time.monotonic()

        def quiet() -> bool:
            nonlocal count, since
            now = len(self.proxy.writes)
            if now != count:
                count, since = now, time.monotonic()
            return time.monotonic() - since >= seconds

        self.wait(quiet, "no more writes")
