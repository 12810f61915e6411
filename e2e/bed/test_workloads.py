"""A cluster of two nodes does what clusters do. Pods and networks are real; only `nvidia.com/gpu` is a number."""

from pathlib import Path

from pods import NODES, ended, get, python, run_pod, until
from testbed import images
from testbed.nodes import Cluster, layout
from testbed.programs import cache_folder

RING = """
    import os, socket, sys, time
    me, other = int(os.environ["JOB_COMPLETION_INDEX"]), 1 - int(os.environ["JOB_COMPLETION_INDEX"])
    server = socket.create_server(("", 7000))
    deadline = time.monotonic() + 180
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
    bed.kubectl("wait", "job/ring", f"--namespace={namespace}", "--for=condition=Complete", "--timeout=240s")
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
    bed.kubectl("wait", "pod/web", f"--namespace={namespace}", "--for=condition=Ready", "--timeout=180s")
    # The Service's rules come to each node a moment after its pod is Ready.
    ask = """
        import time, urllib.request
        for _ in range(300):
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
        import socket, ssl, time, urllib.request
        ca = ssl.create_default_context(cafile="/var/run/secrets/kubernetes.io/serviceaccount/ca.crt")
        deadline = time.monotonic() + 60  # a node is Ready before it has the Services' rules
        while True:
            try:
                print(urllib.request.urlopen("https://kubernetes.default.svc/version", context=ca, timeout=10).status)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
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

    until(waiting, 180)


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


def test_kubelets_share_no_socket(bed: Cluster) -> None:
    """kubelet ends when it cannot make it, as when two start at once."""
    for node in bed.nodes.values():
        assert (node.on_machine(layout.KUBELET_FIXED) / "device-plugins/kubelet.sock").is_socket()


def test_gpus_are_counted(bed: Cluster, namespace: str, image: str) -> None:
    bed.fake_gpus("node-2", 2)
    two = {"limits": {"nvidia.com/gpu": "2"}}
    run_pod(bed, namespace, "first", python(image, "import time; time.sleep(600)", resources=two))
    bed.kubectl("wait", "pod/first", f"--namespace={namespace}", "--for=condition=Ready", "--timeout=180s")
    assert get(bed, "pod", "first", f"--namespace={namespace}")["spec"]["nodeName"] == "node-2"
    run_pod(bed, namespace, "second", python(image, "pass", resources=two))

    def refusal() -> str:
        conditions = get(bed, "pod", "second", f"--namespace={namespace}")["status"].get("conditions", [])
        return next((each.get("message", "") for each in conditions if each["type"] == "PodScheduled"), "")

    assert "Insufficient nvidia.com/gpu" in until(refusal, 180)


def test_an_image_can_come_later(bed: Cluster, namespace: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nRUN echo later >/said\n")
    images.build(tmp_path, tmp_path / "Dockerfile", "localhost/swiftlet/later:1", {"BASE": images.base()})
    bed.import_image("localhost/swiftlet/later:1")
    for node in NODES:
        run_pod(
            bed, namespace, node, python("localhost/swiftlet/later:1", "print(open('/said').read())"), nodeName=node
        )
        assert ended(bed, namespace, node)["exitCode"] == 0
