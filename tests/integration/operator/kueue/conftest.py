"""The real Kueue beside the control plane, and a queue of each test's own."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from testbed.controlplane import ControlPlane
from testbed.jobset import JobSet
from testbed.kueue import Kueue
from testbed.played_pods import ended

Object = dict[str, Any]
QUEUES = {"swiftlet.dev/queues": "yes"}
"""Label of the namespaces whose Jobs Kueue sees."""
CPUS, GPUS = "2", "2"
"""What each queue has: room for one job of `queued`, or for one of two pods with a GPU each."""
TEAM = "team"
"""LocalQueue of the same ClusterQueue as `default`, for what names its queue."""
MOST_WRITES = 5


@pytest.fixture(scope="session")
def kueue(control_plane: ControlPlane, jobset: JobSet) -> Iterator[Kueue]:
    """Kueue runs, with a priority class. It looks seldom for a kind that was not there when it started."""
    with Kueue(control_plane, QUEUES) as running:
        high = {"apiVersion": Queue.GROUP, "kind": "WorkloadPriorityClass", "metadata": {"name": "high"}, "value": 100}
        control_plane.kubectl("apply", "-f", "-", stdin=json.dumps(high))
        yield running


@dataclass
class Queue:
    """A ClusterQueue for one namespace, whose LocalQueue `default` takes every Job there."""

    GROUP = "kueue.x-k8s.io/v1beta2"
    place: Any

    def set_up(self) -> None:
        """Make it."""
        name = self.place.namespace
        self.place.core.patch_namespace(name, {"metadata": {"labels": QUEUES}})
        quota = {"cpu": CPUS, "memory": "1Ti", "nvidia.com/gpu": GPUS}
        resources = [{"name": resource, "nominalQuota": amount} for resource, amount in quota.items()]
        flavors = [{"name": name, "resources": resources}]
        self._make("ResourceFlavor", name, nodeLabels={"pool": name}, tolerations=[{"key": name, "operator": "Exists"}])
        self._make(
            "ClusterQueue",
            name,
            namespaceSelector={"matchLabels": {"kubernetes.io/metadata.name": name}},
            preemption={"withinClusterQueue": "LowerPriority"},
            resourceGroups=[{"coveredResources": list(quota), "flavors": flavors}],
        )
        for local in ("default", TEAM):
            self._make("LocalQueue", local, clusterQueue=name)
        self._kubectl("wait", "--for=condition=Active", "localqueue", "--all", "--timeout=180s")

    def stop(self, policy: str) -> None:
        """Hold the queue (`Hold`), or let it go (`None`)."""
        self._patch("clusterqueue", self.place.namespace, stopPolicy=policy)

    def workloads(self) -> list[Object]:
        """Kueue's Workloads in the namespace."""
        items: list[Object] = json.loads(self._kubectl("get", "workloads", "-o", "json"))["items"]
        return items

    def words(self, type_: str) -> str:
        """What the only Workload says in a condition; something that nobody says while it says nothing."""
        (workload,) = self.workloads()
        conditions = (workload.get("status") or {}).get("conditions") or []
        return next((found["message"] for found in conditions if found["type"] == type_), "nothing has been said")

    def activate(self, active: bool) -> None:
        """Activate or deactivate the only Workload."""
        (workload,) = self.workloads()
        self._patch("workload", workload["metadata"]["name"], active=active)

    def holds(self, name: str) -> bool:
        """Whether a Job is suspended, and has neither pods nor its flavor's nodes."""
        job = self.place.batch.read_namespaced_job(name, self.place.namespace)
        return job.spec.suspend is True and not job.status.active and not job.spec.template.spec.node_selector

    def has_admitted(self, name: str) -> bool:
        """Whether a Job was started, for the flavor's nodes."""
        found = self.place.batch.list_namespaced_job(self.place.namespace, field_selector=f"metadata.name={name}").items
        return any(not job.spec.suspend and job.spec.template.spec.node_selector == self.pool for job in found)

    @property
    def pool(self) -> dict[str, str]:
        """Labels of the nodes of the queue's only flavor."""
        return {"pool": self.place.namespace}

    def _make(self, kind: str, name: str, **spec: Any) -> None:
        document = {"apiVersion": self.GROUP, "kind": kind, "metadata": {"name": name}, "spec": spec}
        self._kubectl("apply", "-f", "-", stdin=json.dumps(document))

    def _patch(self, kind: str, name: str, **spec: Any) -> None:
        self._kubectl("patch", kind, name, "--type=merge", "-p", json.dumps({"spec": spec}))

    def _kubectl(self, *args: str, stdin: str | None = None) -> str:
        done = self.place.control_plane.kubectl(*args, "-n", self.place.namespace, stdin=stdin)
        return str(done.stdout)


@pytest.fixture
def queue(kueue: Kueue, place: Any) -> Queue:
    """The test's queue."""
    made = Queue(place)
    made.set_up()
    return made


@pytest.fixture
def gpu_nodes(queue: Queue) -> Iterator[list[str]]:
    """Two nodes of the queue's flavor with a GPU each, as far as the scheduler counts, and the claim's volume. Nobody
    runs what is bound to them."""
    core, namespace = queue.place.core, queue.place.namespace
    room = {"cpu": "8", "memory": "64Gi", "pods": "20", "nvidia.com/gpu": "1", "ephemeral-storage": "500Gi"}
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "Played",
        "lastHeartbeatTime": now(),
        "lastTransitionTime": now(),
    }
    names = [f"{namespace}-{number}" for number in range(2)]
    for name in names:
        core.create_node({"metadata": {"name": name, "labels": queue.pool}})
        status = {"allocatable": room, "capacity": room, "conditions": [ready]}
        core.patch_node_status(name, {"status": status})
    volume = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteMany"],
        "hostPath": {"path": "/nowhere"},
        "claimRef": {"namespace": namespace, "name": "swiftlet-artifacts"},
    }
    core.create_persistent_volume({"metadata": {"name": namespace}, "spec": volume})
    yield names
    for name in names:
        core.delete_node(name)
    core.delete_persistent_volume(namespace)


def now() -> str:
    """RFC 3339."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@pytest.fixture
def queued(job: Callable[..., Object]) -> Callable[..., Object]:
    """A FineTuneJob that asks for all of the queue."""
    requests = {"cpu": CPUS, "memory": "1Gi"}
    return lambda name, **spec: job(name, compute={"resources": {"requests": requests}}, **spec)


@pytest.fixture
def few_writes(place: Any) -> Callable[[tuple[int, int]], None]:
    """Asserts, once nothing has been written for a while, that the operator wrote little since a mark, and nothing to
    a Job.

    An Event that repeats is one write, though it takes two requests: it is created in vain, then counted.
    """

    def check(before: tuple[int, int]) -> None:
        written = place.few_writes_since(before)
        once = [write for write in written if not write.startswith("patch events/")]
        assert len(once) <= MOST_WRITES, (written, place.events("bird"))
        assert not [write for write in written if " jobs/" in write], written

    return check


@pytest.fixture
def stopped(place: Any) -> Callable[[str], None]:
    """What kubelets do with the pods of a run, by name, once all are asked to go: the trainer writes its checkpoint and
    ends with 143."""

    def stop(name: str) -> None:
        selector = {"label_selector": f"swiftlet.dev/name={name}"}

        def found() -> list[Any]:
            return list(place.core.list_namespaced_pod(place.namespace, **selector).items)

        place.wait(lambda: all(pod.metadata.deletion_timestamp for pod in found()), f"the pods of {name} are to go")
        for pod in found():
            words = "stopped after step 8; a checkpoint was written"
            status = ended(place.api.sanitize_for_serialization(pod), 143, words)
            place.core.patch_namespaced_pod_status(pod.metadata.name, place.namespace, {"status": status})
            place.core.delete_namespaced_pod(pod.metadata.name, place.namespace, grace_period_seconds=0)

    return stop
