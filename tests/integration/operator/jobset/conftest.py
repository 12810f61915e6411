"""Beside the real JobSet: two nodes whose kubelets are the test."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from testbed.operator_process import OperatorProcess
from testbed.played_pods import ended, good_end, running

Object = dict[str, Any]
ONLY = "swiftlet.dev/only"
"""Taint of the nodes: pods of other tests stay where they are."""
STOPPED = "stopped after step 8; a checkpoint was written"


@pytest.fixture
def operator(start_operator: Callable[..., OperatorProcess]) -> OperatorProcess:
    """An operator that may use JobSets and has listed everything."""
    process = start_operator("--no-leader-election", "--extra-backends=jobSet")
    process.wait_ready()
    return process


@dataclass
class Pair:
    """Two nodes, whose scheduler and kubelets the test is."""

    place: Any

    @property
    def nodes(self) -> list[str]:
        return [f"{self.place.namespace}-a", f"{self.place.namespace}-b"]

    def set_up(self) -> None:
        """Make them."""
        taint = {"key": ONLY, "value": self.place.namespace, "effect": "NoSchedule"}
        for name in self.nodes:
            self.place.core.create_node({"metadata": {"name": name}, "spec": {"taints": [taint]}})

    def clean_up(self) -> None:
        """Delete them."""
        for name in self.nodes:
            self.place.core.delete_node(name)

    def pods(self, attempt: int, count: int = 2) -> list[Any]:
        """The pods of an attempt, once there are as many."""

        def found() -> list[Any]:
            listed = self.place.core.list_namespaced_pod(self.place.namespace).items
            own = [pod for pod in listed if pod.metadata.name.startswith(f"bird-train-{attempt}-")]
            return [pod for pod in own if not pod.metadata.deletion_timestamp]

        self.place.wait(lambda: len(found()) == count, f"{count} pods of attempt {attempt}")
        return found()

    def runs(self, attempt: int) -> list[Any]:
        """Put each pod of an attempt on a node, and let it run."""
        for pod, node in zip(self.pods(attempt), self.nodes, strict=True):
            name, target = pod.metadata.name, {"apiVersion": "v1", "kind": "Node", "name": node}
            body = {"metadata": {"name": name}, "target": target}
            # The client takes the answer for a Binding, which it is not.
            self.place.core.create_namespaced_pod_binding(name, self.place.namespace, body, _preload_content=False)
            self._tell(pod, running)
        self.place.await_condition("FineTuneJob", "bird", "PodsReady", "True", "AllPodsReady")
        return self.pods(attempt)

    def ends_well(self, attempt: int) -> None:
        """The pods of an attempt have done their work."""
        for pod in self.pods(attempt):
            self._tell(pod, good_end)

    def stop(self, *pods: Any) -> None:
        """What kubelets do with pods once they are asked to go: the trainer writes its checkpoint and ends with 143."""
        for pod in pods:
            self.place.wait(lambda: self._is_to_go(pod), f"{pod.metadata.name} is to go")  # noqa: B023
            self._tell(pod, lambda made: ended(made, 143, STOPPED))
            self.place.core.delete_namespaced_pod(pod.metadata.name, self.place.namespace, grace_period_seconds=0)

    def lose(self, node: str) -> None:
        """Somebody has said that a node is gone: what was there is taken for ended, and nobody hears of it again."""
        taint = {"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}
        kept = self.place.api.sanitize_for_serialization(self.place.core.read_node(node).spec.taints)
        self.place.core.patch_node(node, {"spec": {"taints": [*kept, taint]}})

    def _is_to_go(self, pod: Any) -> bool:
        found = self.place.core.read_namespaced_pod(pod.metadata.name, self.place.namespace)
        return bool(found.metadata.deletion_timestamp)

    def _tell(self, pod: Any, status: Callable[[Object], Object]) -> None:
        told = {"status": status(self.place.api.sanitize_for_serialization(pod))}
        self.place.core.patch_namespaced_pod_status(pod.metadata.name, self.place.namespace, told)


@pytest.fixture
def pair(place: Any) -> Iterator[Pair]:
    """The test's nodes."""
    made = Pair(place)
    made.set_up()
    yield made
    made.clean_up()
