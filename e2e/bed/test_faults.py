"""Nodes fail as nodes fail, and come back."""

from typing import Any

from pods import get, node_ready, python, run_pod, until
from testbed.nodes import Cluster


def test_a_dead_kubelet_is_noticed_and_its_containers_go_on(bed: Cluster, namespace: str, image: str) -> None:
    count = "import time\nfor i in range(600): print(i, flush=True); time.sleep(0.5)"
    run_pod(bed, namespace, "counting", python(image, count), nodeName="node-1", tolerations=[{"operator": "Exists"}])
    bed.kubectl("wait", "pod/counting", f"--namespace={namespace}", "--for=condition=Ready", "--timeout=180s")
    bed.kill_kubelet("node-1")
    until(lambda: node_ready(bed, "node-1") == "Unknown", 180)
    bed.start_kubelet("node-1")
    until(lambda: node_ready(bed, "node-1") == "True", 180)
    # Ready comes a moment before kubelet has read its pods.
    logs = ("logs", "counting", f"--namespace={namespace}")
    numbers = until(lambda: bed.kubectl(*logs, check=False).stdout.split(), 180)
    assert len(numbers) > 20
    assert numbers == [str(number) for number in range(len(numbers))], "it did not run through"


def test_a_node_cut_off_is_lost_and_comes_back(bed: Cluster, namespace: str, image: str) -> None:
    run_pod(bed, namespace, "there", python(image, "import time; time.sleep(600)"), nodeName="node-2")
    bed.kubectl("wait", "pod/there", f"--namespace={namespace}", "--for=condition=Ready", "--timeout=180s")
    bed.cut_off("node-2")
    try:
        until(lambda: node_ready(bed, "node-2") == "Unknown", 180)
        assert node_ready(bed, "node-1") == "True"
        # The pod is given up after its toleration, and nobody can say whether it has ended.
        pod = until(lambda: given_up(get(bed, "pod", "there", f"--namespace={namespace}")), 180)
        assert pod["status"]["phase"] == "Running"
    finally:
        bed.reconnect("node-2")
    until(lambda: node_ready(bed, "node-2") == "True", 180)
    bed.kubectl("wait", "pod/there", f"--namespace={namespace}", "--for=delete", "--timeout=180s")


def given_up(pod: dict[str, Any]) -> dict[str, Any] | None:
    """The pod when it is being deleted."""
    return pod if "deletionTimestamp" in pod["metadata"] else None
