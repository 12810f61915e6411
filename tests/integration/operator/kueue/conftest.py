"""The real Kueue beside the control plane, and a queue of each test's own."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from testbed.controlplane import ControlPlane
from testbed.kueue import Kueue

Object = dict[str, Any]
QUEUES = {"swiftlet.dev/queues": "yes"}
"""Label of the namespaces whose Jobs Kueue sees."""
CPUS = "2"
"""What each queue has: room for one job of `queued`."""
MOST_WRITES = 5


@pytest.fixture(scope="session")
def kueue(control_plane: ControlPlane) -> Iterator[Kueue]:
    """Kueue runs, with a priority class."""
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
        resources = [{"name": "cpu", "nominalQuota": CPUS}, {"name": "memory", "nominalQuota": "1Ti"}]
        flavors = [{"name": name, "resources": resources}]
        self._make("ResourceFlavor", name, nodeLabels={"pool": name}, tolerations=[{"key": name, "operator": "Exists"}])
        self._make(
            "ClusterQueue",
            name,
            namespaceSelector={"matchLabels": {"kubernetes.io/metadata.name": name}},
            preemption={"withinClusterQueue": "LowerPriority"},
            resourceGroups=[{"coveredResources": ["cpu", "memory"], "flavors": flavors}],
        )
        self._make("LocalQueue", "default", clusterQueue=name)
        self._kubectl("wait", "--for=condition=Active", "localqueue/default", "--timeout=180s")

    def stop(self, policy: str) -> None:
        """Hold the queue (`Hold`), or let it go (`None`)."""
        self._patch("clusterqueue", self.place.namespace, stopPolicy=policy)

    def preempt(self) -> None:
        """Put a Job of a higher priority in, which takes the whole quota."""
        labels = {"kueue.x-k8s.io/queue-name": "default", "kueue.x-k8s.io/priority-class": "high"}
        container = {"name": "work", "image": "none", "resources": {"requests": {"cpu": CPUS, "memory": "1Gi"}}}
        template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
        job = {"metadata": {"name": "urgent", "labels": labels}, "spec": {"suspend": True, "template": template}}
        self.place.batch.create_namespaced_job(self.place.namespace, job)

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
        pool = {"pool": self.place.namespace}
        return any(not job.spec.suspend and job.spec.template.spec.node_selector == pool for job in found)

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
