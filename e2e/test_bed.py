"""The bed itself: a cluster of two nodes does what clusters do, fails as they fail, and leaves nothing behind.

Pods, containers, networks and failures are real; only `nvidia.com/gpu` is a number.
"""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from testbed import beds, images
from testbed.nodes import Cluster
from testbed.programs import cache_folder

NODES = ("node-1", "node-2")


@pytest.fixture(scope="module")
def image() -> str:
    """Debian with Python, as pods name it."""
    return images.base()


@pytest.fixture(scope="module")
def bed(image: str) -> Iterator[Cluster]:
    """Two nodes that have the image."""
    with Cluster(nodes=2, images=[image]) as cluster:
        yield cluster


@pytest.fixture
def namespace(bed: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace for one test."""
    name = request.node.name.removeprefix("test_").replace("_", "-")[:60].strip("-")
    bed.kubectl("create", "namespace", name)
    yield name
    bed.kubectl("delete", "namespace", name, "--wait=false")


def until(condition: Callable[[], Any], seconds: float) -> Any:
    """The first true answer of `condition`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s; the last answer was {answer!r}"
        time.sleep(0.25)
    return answer


def get(bed: Cluster, *args: str) -> dict[str, Any]:
    """An object or list, as the API server has it."""
    found: dict[str, Any] = json.loads(bed.kubectl("get", *args, "-o=json").stdout)
    return found


def python(image: str, code: str, **container: Any) -> dict[str, Any]:
    """A container that runs Python code."""
    command = ["python3", "-c", textwrap.dedent(code)]
    return {"name": "main", "image": image, "command": command, **container}


def run_pod(bed: Cluster, namespace: str, name: str, container: dict[str, Any], **spec: Any) -> None:
    """Create a pod that is never restarted."""
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [container], **spec}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec}
    bed.kubectl("create", "--filename=-", stdin=json.dumps(pod))


def ended(bed: Cluster, namespace: str, name: str, seconds: float = 60) -> dict[str, Any]:
    """How the one container of a pod ended."""

    def state() -> dict[str, Any] | None:
        statuses = get(bed, "pod", name, f"--namespace={namespace}")["status"].get("containerStatuses", [])
        found: dict[str, Any] | None = statuses[0]["state"].get("terminated") if statuses else None
        return found

    answer: dict[str, Any] = until(state, seconds)
    return answer


def node_ready(bed: Cluster, node: str) -> str:
    """Status of a node's Ready condition."""
    conditions = get(bed, "node", node)["status"]["conditions"]
    return str(next(each["status"] for each in conditions if each["type"] == "Ready"))


RING = """
    import os, socket, sys, time
    me, other = int(os.environ["JOB_COMPLETION_INDEX"]), 1 - int(os.environ["JOB_COMPLETION_INDEX"])
    server = socket.create_server(("", 7000))
    deadline = time.monotonic() + 60
    while True:
        try:
            client = socket.create_connection((f"ring-{other}.ring", 7000), 2)
            break
        except OSError as error:
            if time.monotonic() > deadline:
                sys.exit(f"ring-{other}.ring: {error}")
            time.sleep(0.2)
    client.sendall(f"from {me} at {client.getsockname()[0]}".encode())
    client.shutdown(socket.SHUT_WR)
    peer, address = server.accept()
    print(peer.recv(100).decode(), "seen as", address[0])
"""


def test_pods_of_a_job_meet_across_nodes(bed: Cluster, namespace: str, image: str) -> None:
    spread = {
        "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "ring"}},
    }  # fmt: skip
    pod = {
        "restartPolicy": "Never", "subdomain": "ring", "topologySpreadConstraints": [spread],
        "containers": [python(image, RING)],
    }  # fmt: skip
    template = {"metadata": {"labels": {"app": "ring"}}, "spec": pod}
    job = {"completionMode": "Indexed", "completions": 2, "parallelism": 2, "backoffLimit": 0, "template": template}
    service = {"clusterIP": "None", "selector": {"app": "ring"}, "publishNotReadyAddresses": True}
    metadata = {"name": "ring", "namespace": namespace}
    bed.apply(
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": service},
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": job},
    )
    bed.kubectl("wait", "job/ring", f"--namespace={namespace}", "--for=condition=Complete", "--timeout=90s")
    pods = get(bed, "pods", f"--namespace={namespace}")["items"]
    assert {pod["spec"]["nodeName"] for pod in pods} == set(NODES)
    addresses = {
        int(pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"]): pod["status"]["podIP"]
        for pod in pods
    }
    for index in (0, 1):
        said = bed.kubectl(
            "logs", f"--namespace={namespace}", f"--selector=batch.kubernetes.io/job-completion-index={index}"
        )
        other = addresses[1 - index]
        assert said.stdout.strip() == f"from {1 - index} at {other} seen as {other}"


def test_a_service_is_reached_from_both_nodes_and_its_own_pod(bed: Cluster, namespace: str, image: str) -> None:
    serve = "import http.server as h; h.ThreadingHTTPServer(('', 8000), h.SimpleHTTPRequestHandler).serve_forever()"
    server = python(image, serve, readinessProbe={"httpGet": {"path": "/", "port": 8000}, "periodSeconds": 1})
    labels = {"app": "web"}
    pod = {"containers": [server], "nodeName": "node-1", "terminationGracePeriodSeconds": 1}
    metadata = {"name": "web", "namespace": namespace}
    service = {"selector": labels, "ports": [{"port": 80, "targetPort": 8000}]}
    bed.apply(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, "labels": labels}, "spec": pod},
        {"apiVersion": "v1", "kind": "Service", "metadata": {**metadata, "name": "site"}, "spec": service},
    )
    bed.kubectl("wait", "pod/web", f"--namespace={namespace}", "--for=condition=Ready", "--timeout=60s")
    # The Service's rules come to each node a moment after its pod is Ready.
    ask = """
        import time, urllib.request
        for _ in range(50):
            try:
                print(urllib.request.urlopen("http://site", timeout=10).status)
                break
            except OSError as error:
                problem = error
                time.sleep(0.2)
        else:
            raise problem
    """
    for node in NODES:
        run_pod(bed, namespace, f"from-{node}", python(image, ask), nodeName=node)
        assert ended(bed, namespace, f"from-{node}")["exitCode"] == 0
    itself = bed.kubectl("exec", "web", f"--namespace={namespace}", "--", *python(image, ask)["command"])
    assert itself.stdout.strip() == "200"
    address = get(bed, "service", "site", f"--namespace={namespace}")["spec"]["clusterIP"]
    assert bed.on_node("node-2", *python(image, ask.replace("site", address))["command"]).stdout.strip() == "200"


def test_pods_reach_the_api_server_and_nothing_outside(bed: Cluster, namespace: str, image: str) -> None:
    code = """
        import socket, ssl, urllib.request
        ca = ssl.create_default_context(cafile="/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
        print(urllib.request.urlopen("https://kubernetes.default.svc/version", context=ca, timeout=10).status)
        try:
            socket.create_connection(("1.1.1.1", 53), 3)
        except OSError as error:
            print(error.strerror or error)
        try:
            socket.getaddrinfo("example.com", 80)
        except socket.gaierror as error:
            print(error.strerror)
    """
    run_pod(bed, namespace, "ask", python(image, code))
    assert ended(bed, namespace, "ask")["exitCode"] == 0
    said = bed.kubectl("logs", "ask", f"--namespace={namespace}").stdout.splitlines()
    assert said == ["200", "Network is unreachable", "Name or service not known"]


def test_a_restricted_pod_runs(bed: Cluster, namespace: str, image: str) -> None:
    bed.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    code = """
        import os, pathlib
        status = dict(line.split(":", 1) for line in open("/proc/self/status") if ":" in line)
        pathlib.Path("/dev/shm/large").write_bytes(bytes(100 * 2**20))
        try:
            pathlib.Path("/etc/x").write_text("x")
        except OSError as error:
            print(error.strerror)
        print(os.getuid(), int(status["CapEff"], 16), status["Seccomp"].strip(), status["NoNewPrivs"].strip())
    """
    security = {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    mounts = [{"name": "shm", "mountPath": "/dev/shm"}]  # noqa: S108 - the container's own
    container = python(image, code, securityContext=security, volumeMounts=mounts)
    volumes = [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "256Mi"}}]
    pod = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    run_pod(bed, namespace, "restricted", container, securityContext=pod, volumes=volumes)
    assert ended(bed, namespace, "restricted")["exitCode"] == 0
    said = bed.kubectl("logs", "restricted", f"--namespace={namespace}").stdout.splitlines()
    assert said == ["Read-only file system", "1000 0 2 1"]


def test_a_container_over_its_memory_limit_is_killed(bed: Cluster, namespace: str, image: str) -> None:
    limits = {"limits": {"memory": "64Mi"}}
    run_pod(bed, namespace, "greedy", python(image, "x = bytearray(512 * 2**20)", resources=limits))
    state = ended(bed, namespace, "greedy")
    assert (state["reason"], state["exitCode"]) == ("OOMKilled", 137)


def test_a_termination_message_and_a_log_are_kept(bed: Cluster, namespace: str, image: str) -> None:
    code = "print('hello'); open('/dev/termination-log', 'w').write('why'); raise SystemExit(3)"
    run_pod(bed, namespace, "said", python(image, code))
    state = ended(bed, namespace, "said")
    assert (state["exitCode"], state["message"]) == (3, "why")
    assert bed.kubectl("logs", "said", f"--namespace={namespace}").stdout == "hello\n"


def test_an_image_that_nobody_has_is_told(bed: Cluster, namespace: str) -> None:
    run_pod(bed, namespace, "lost", python("registry.invalid/nothing:1", "pass"))

    def waiting() -> bool:
        statuses = get(bed, "pod", "lost", f"--namespace={namespace}")["status"].get("containerStatuses", [])
        return bool(statuses) and statuses[0]["state"]["waiting"]["reason"] in ("ErrImagePull", "ImagePullBackOff")

    until(waiting, 60)


def test_both_nodes_write_to_one_volume(bed: Cluster, namespace: str, image: str, tmp_path: Path) -> None:
    folder = cache_folder() / "nodes" / bed.bed.name / "volume"
    bed.add_volume("shared", "1Gi", folder, claim=(namespace, "shared"))
    claim = {
        "accessModes": ["ReadWriteMany"], "storageClassName": "swiftlet-hostpath",
        "resources": {"requests": {"storage": "1Gi"}},
    }  # fmt: skip
    metadata = {"name": "shared", "namespace": namespace}
    bed.apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim})
    mounts = [{"name": "data", "mountPath": "/data"}]
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "shared"}}]
    for node in NODES:
        code = f"open('/data/{node}', 'w').write('{node}'); import os; print(sorted(os.listdir('/data')))"
        container = python(image, code, volumeMounts=mounts, securityContext={"runAsUser": 1000})
        run_pod(bed, namespace, node, container, volumes=volumes, nodeName=node)
        assert ended(bed, namespace, node)["exitCode"] == 0
    assert bed.kubectl("logs", "node-2", f"--namespace={namespace}").stdout == "['node-1', 'node-2']\n"
    assert (folder / "node-1").read_text() == "node-1"


def test_nodes_share_on_disk_what_an_image_holds(bed: Cluster, namespace: str, image: str) -> None:
    """Yet a container that changes a file changes it for nobody else."""
    file = "usr/lib/os-release"
    pattern = f"containerd/*overlayfs/snapshots/*/fs/{file}"
    copies = [path for node in bed.nodes.values() for path in node.folder.glob(pattern)]
    assert len(copies) == 2
    assert copies[0].samefile(copies[1])
    before = copies[0].read_text()
    for node in NODES:
        code = f"open('/{file}', 'a').write('CHANGED={node}'); print(open('/{file}').read())"
        run_pod(bed, namespace, node, python(image, code), nodeName=node)
        assert ended(bed, namespace, node)["exitCode"] == 0
        said = bed.kubectl("logs", node, f"--namespace={namespace}").stdout
        assert said.strip() == f"{before}CHANGED={node}"
    assert copies[0].read_text() == before


def test_gpus_are_counted(bed: Cluster, namespace: str, image: str) -> None:
    bed.fake_gpus("node-2", 2)
    two = {"limits": {"nvidia.com/gpu": "2"}}
    run_pod(bed, namespace, "first", python(image, "import time; time.sleep(60)", resources=two))
    bed.kubectl("wait", "pod/first", f"--namespace={namespace}", "--for=condition=Ready", "--timeout=60s")
    assert get(bed, "pod", "first", f"--namespace={namespace}")["spec"]["nodeName"] == "node-2"
    run_pod(bed, namespace, "second", python(image, "pass", resources=two))

    def refusal() -> str:
        conditions = get(bed, "pod", "second", f"--namespace={namespace}")["status"].get("conditions", [])
        return next((each.get("message", "") for each in conditions if each["type"] == "PodScheduled"), "")

    assert "Insufficient nvidia.com/gpu" in until(refusal, 20)


def test_an_image_can_come_later(bed: Cluster, namespace: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nRUN echo later >/said\n")
    images.build(tmp_path, tmp_path / "Dockerfile", "swiftlet/later:1", {"BASE": images.base()})
    bed.import_image("swiftlet/later:1")
    for node in NODES:
        run_pod(bed, namespace, node, python("swiftlet/later:1", "print(open('/said').read())"), nodeName=node)
        assert ended(bed, namespace, node)["exitCode"] == 0


def test_a_dead_kubelet_is_noticed_and_its_containers_go_on(bed: Cluster, namespace: str, image: str) -> None:
    count = "import time\nfor i in range(600): print(i, flush=True); time.sleep(0.5)"
    run_pod(bed, namespace, "counting", python(image, count), nodeName="node-1", tolerations=[{"operator": "Exists"}])
    bed.kubectl("wait", "pod/counting", f"--namespace={namespace}", "--for=condition=Ready", "--timeout=60s")
    bed.kill_kubelet("node-1")
    until(lambda: node_ready(bed, "node-1") == "Unknown", 60)
    bed.start_kubelet("node-1")
    until(lambda: node_ready(bed, "node-1") == "True", 60)
    # Ready comes a moment before kubelet has read its pods.
    logs = ("logs", "counting", f"--namespace={namespace}")
    numbers = until(lambda: bed.kubectl(*logs, check=False).stdout.split(), 20)
    assert len(numbers) > 20
    assert numbers == [str(number) for number in range(len(numbers))], "it did not run through"


def test_a_node_cut_off_is_lost_and_comes_back(bed: Cluster, namespace: str, image: str) -> None:
    run_pod(bed, namespace, "there", python(image, "import time; time.sleep(600)"), nodeName="node-2")
    bed.kubectl("wait", "pod/there", f"--namespace={namespace}", "--for=condition=Ready", "--timeout=60s")
    bed.cut_off("node-2")
    try:
        until(lambda: node_ready(bed, "node-2") == "Unknown", 60)
        assert node_ready(bed, "node-1") == "True"
        # The pod is given up after its toleration, and nobody can say whether it has ended.
        pod = until(lambda: given_up(get(bed, "pod", "there", f"--namespace={namespace}")), 60)
        assert pod["status"]["phase"] == "Running"
    finally:
        bed.reconnect("node-2")
    until(lambda: node_ready(bed, "node-2") == "True", 60)
    bed.kubectl("wait", "pod/there", f"--namespace={namespace}", "--for=delete", "--timeout=60s")


def given_up(pod: dict[str, Any]) -> dict[str, Any] | None:
    """The pod when it is being deleted."""
    return pod if "deletionTimestamp" in pod["metadata"] else None


OWNER = '''
import sys, time
from testbed import images
from testbed.nodes import Cluster
cluster = Cluster(nodes=1, images=[images.base()]).up()
pod = """
apiVersion: v1
kind: Pod
metadata: {name: sleeper}
spec: {containers: [{name: main, image: %s, command: [sleep, "%s"]}]}
"""
cluster.kubectl("apply", "--server-side", "--filename=-", stdin=pod % (images.base(), sys.argv[1]))
cluster.kubectl("wait", "pod/sleeper", "--for=condition=Ready", "--timeout=60s")
print(cluster.bed.name, cluster.plan.link, flush=True)
time.sleep(600)
'''


def traces(name: str, link: str, marker: str) -> list[str]:
    """What is left of a bed: processes, its pods' processes, folders, cgroups, mounts, its link."""
    sleeper = [b"sleep", marker.encode(), b""]
    processes = [
        str(line) for line in command_lines().values() if line == sleeper or any(name.encode() in each for each in line)
    ]
    folders = (beds.root() / name, cache_folder() / "nodes" / name, Path("/sys/class/net", link))
    cgroups = [str(path) for path in Path("/sys/fs/cgroup").rglob(f"{name}-*")]
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if name in line]
    return [*processes, *(str(path) for path in folders if path.exists()), *cgroups, *mounts]


@pytest.mark.parametrize("guarded", [True, False])
def test_nothing_is_left_of_a_killed_owner(guarded: bool) -> None:
    """By its guard at once; when the guard was killed too, by the next bed that starts."""
    marker = str(10**6 + os.getpid() * 2 + guarded)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    argv = [sys.executable, "-c", OWNER, marker]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True) as owner:
        try:
            assert owner.stdout is not None
            name, link = owner.stdout.readline().split()
            assert any(marker in each for each in traces(name, link, marker)), (
                "the pod is not seen, so this is no proof"
            )
            if not guarded:
                os.kill(guard_of(name), signal.SIGKILL)
        finally:
            owner.kill()
    if not guarded:
        time.sleep(1)
        assert traces(name, link, marker), "somebody else has cleaned: no proof"
        beds.end(beds.Bed.create().folder)
    until(lambda: not traces(name, link, marker), 20)


def guard_of(name: str) -> int:
    """The process that guards a bed."""
    folder = str(beds.root() / name).encode()
    (found,) = (pid for pid, line in command_lines().items() if b"testbed.guard" in line and folder in line)
    return found


def command_lines() -> dict[int, list[bytes]]:
    """Arguments of every process of the machine."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found[int(entry.name)] = (entry / "cmdline").read_bytes().split(b"\0")
    return found


def test_two_beds_live_side_by_side(bed: Cluster) -> None:
    with Cluster(nodes=1) as other:
        assert other.plan.subnet != bed.plan.subnet
        assert len(get(other, "nodes")["items"]) == 1
        assert len(get(bed, "nodes")["items"]) == 2
    assert all(node_ready(bed, node) == "True" for node in NODES)
