"""The test bed's control plane: what the other tests of this tier stand on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from kubernetes import client, config
from testbed.beds import Bed, locked, marked, root
from testbed.controlplane import COMPONENTS, ControlPlane
from testbed.controlplane_arguments import Settings
from testbed.errors import TestBedError


@pytest.fixture(scope="module")
def own(built: None) -> Iterator[ControlPlane]:
    """A second control plane, to restart and crash beside the shared one."""
    with ControlPlane() as running:
        yield running


def until(true: Callable[[], bool], seconds: float = 90) -> bool:
    """Whether something becomes true."""
    deadline = time.monotonic() + seconds
    while not (now := true()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return now


def secret(name: str, value: str) -> dict[str, object]:
    return {"metadata": {"name": name}, "stringData": {"value": value}}


def test_kubectl_talks_to_the_server(control_plane: ControlPlane) -> None:
    assert "Server Version: v1." in control_plane.kubectl("version").stdout
    assert control_plane.kubectl("get", "--raw", "/readyz").stdout == "ok"


def test_kubectl_reads_standard_input(control_plane: ControlPlane, namespace: str, core: client.CoreV1Api) -> None:
    manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: given}, data: {a: b}}"
    control_plane.kubectl("apply", "-n", namespace, "-f", "-", stdin=manifest)
    assert core.read_namespaced_config_map("given", namespace).data == {"a": "b"}


def test_a_failing_kubectl_raises_with_the_reason(control_plane: ControlPlane) -> None:
    with pytest.raises(TestBedError, match=r'kubectl get pod nobody ended with 1: .*"nobody" not found'):
        control_plane.kubectl("get", "pod", "nobody")
    assert control_plane.kubectl("get", "pod", "nobody", check=False).returncode == 1


def test_the_crds_are_established(namespace: str, custom: client.CustomObjectsApi) -> None:
    found = custom.list_namespaced_custom_object("swiftlet.dev", "v1alpha1", namespace, "finetunejobs")
    assert found["items"] == []


def test_the_controllers_work(namespace: str, kube: client.ApiClient, core: client.CoreV1Api) -> None:
    container = {"name": "main", "image": "none"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    job = {"metadata": {"name": "two"}, "spec": {"completions": 2, "parallelism": 2, "template": template}}
    client.BatchV1Api(kube).create_namespaced_job(namespace, job)
    assert until(lambda: len(core.list_namespaced_pod(namespace).items) == 2)


def test_the_scheduler_says_why_a_pod_waits(namespace: str, core: client.CoreV1Api) -> None:
    pod = {"metadata": {"name": "waits"}, "spec": {"containers": [{"name": "main", "image": "none"}]}}
    core.create_namespaced_pod(namespace, pod)

    def reasons() -> list[str]:
        conditions = core.read_namespaced_pod("waits", namespace).status.conditions or []
        return [condition.reason for condition in conditions if condition.type == "PodScheduled"]

    assert until(lambda: reasons() == ["Unschedulable"])


def test_rbac_denies_who_has_no_role(control_plane: ControlPlane, namespace: str) -> None:
    jane = control_plane.client_kubeconfig("jane", ["devs"])
    whoami = control_plane.kubectl("auth", "whoami", "-o", "jsonpath={.status.userInfo}", kubeconfig=jane).stdout
    assert '"username":"jane"' in whoami
    assert '"devs"' in whoami
    denied = control_plane.kubectl("get", "pods", "-n", namespace, kubeconfig=jane, check=False)
    assert 'User "jane" cannot list resource "pods"' in denied.stderr


def test_a_role_for_a_group_allows_its_members(control_plane: ControlPlane, namespace: str) -> None:
    jane = control_plane.client_kubeconfig("jane", ["devs"])
    control_plane.kubectl("create", "rolebinding", "devs", "-n", namespace, "--clusterrole=view", "--group=devs")
    get = ("get", "pods", "-n", namespace)
    # The authorizer learns of roles by a watch.
    assert until(lambda: "No resources" in control_plane.kubectl(*get, kubeconfig=jane, check=False).stderr)


def test_no_user_name_takes_the_administrators_place(control_plane: ControlPlane) -> None:
    impostor = control_plane.client_kubeconfig("admin")
    assert impostor != control_plane.kubeconfig
    assert control_plane.kubectl("get", "secrets", kubeconfig=impostor, check=False).returncode == 1
    assert control_plane.kubectl("get", "secrets").returncode == 0


def test_a_service_account_acts_by_its_token(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.kubectl("create", "serviceaccount", "operator", "-n", namespace)
    own = config.new_client_from_config(str(control_plane.service_account_kubeconfig(namespace, "operator")))
    review = client.AuthenticationV1Api(own).create_self_subject_review({})
    assert review.status.user_info.username == f"system:serviceaccount:{namespace}:operator"
    with pytest.raises(client.ApiException) as denied:
        client.CoreV1Api(own).list_namespaced_pod(namespace)
    assert denied.value.status == 403


def test_the_audit_log_tells_who_did_what(control_plane: ControlPlane, namespace: str) -> None:
    jane = control_plane.client_kubeconfig("jane")
    control_plane.kubectl("delete", "secret", "x", "-n", namespace, kubeconfig=jane, check=False)

    def denials() -> list[str]:
        events = [
            event
            for event in control_plane.audit_events("jane")
            if event.get("objectRef", {}).get("namespace") == namespace
        ]
        return [
            f"{event['verb']} {event['objectRef']['resource']} {event['responseStatus']['code']} "
            f"{event['annotations']['authorization.k8s.io/decision']}"
            for event in events
        ]

    assert until(lambda: denials() == ["delete secrets 403 forbid"])


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_restart_keeps_the_data(own: ControlPlane, component: str) -> None:
    core = client.CoreV1Api(config.new_client_from_config(str(own.kubeconfig)))
    core.create_namespaced_secret("default", secret(component, "kept"))
    own.restart(component)
    assert until(lambda: _reads(core, component))


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_crash_keeps_the_data(own: ControlPlane, component: str) -> None:
    core = client.CoreV1Api(config.new_client_from_config(str(own.kubeconfig)))
    core.create_namespaced_secret("default", secret(f"crash-{component}", "kept"))
    own.kill(component)
    assert own.bed.processes()[component] is None
    own.start(component)
    assert until(lambda: _reads(core, f"crash-{component}"))


def _reads(core: client.CoreV1Api, name: str) -> bool:
    """Whether the secret is read; a server that has just come back may refuse for a moment."""
    try:
        return bool(core.read_namespaced_secret(name, "default").data)
    except client.ApiException as error:
        if error.status in (500, 503):
            return False
        raise


def test_a_running_component_is_not_started_twice(own: ControlPlane) -> None:
    with pytest.raises(TestBedError, match="etcd runs already: stop it first, or use restart"):
        own.start("etcd")


def test_an_unknown_component_is_named(own: ControlPlane) -> None:
    with pytest.raises(TestBedError, match="'kube-magic' is no component; there are etcd, kube-apiserver"):
        own.start("kube-magic")


def test_two_control_planes_know_nothing_of_each_other(control_plane: ControlPlane, own: ControlPlane) -> None:
    own.kubectl("create", "namespace", "only-here")
    assert control_plane.kubectl("get", "namespace", "only-here", check=False).returncode == 1
    stranger = own.client_kubeconfig("jane").read_text().replace(own.server, control_plane.server)
    foreign = own.bed.folder / "foreign.kubeconfig"
    foreign.write_text(stranger)
    refused = control_plane.kubectl("get", "namespaces", kubeconfig=foreign, check=False).stderr
    assert "certificate signed by unknown authority" in refused


def test_a_component_that_ends_at_once_is_told_with_its_log(built: None, capfd: pytest.CaptureFixture[str]) -> None:
    failing = ControlPlane(Settings(extra={"kube-apiserver": ("--no-such-flag",)}))
    with pytest.raises(TestBedError, match=r"(?s)kube-apiserver ended with code 1:.*unknown flag: --no-such-flag"):
        failing.up()
    assert not failing.bed.folder.exists()
    kept = Path(capfd.readouterr().err.split(" kept in ")[1].strip())
    assert "--no-such-flag" in (kept / "kube-apiserver.log").read_text()
    shutil.rmtree(kept)


OWNER = """
import sys
from testbed.controlplane import ControlPlane
control_plane = ControlPlane().up()
control_plane.bed.undo("touch", sys.argv[1])
print(control_plane.bed.folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def owner(built: None, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process with a control plane of its own."""
    command = [sys.executable, "-c", OWNER, str(tmp_path / "undone")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_nothing_is_left_after_the_owner_is_killed(owner: subprocess.Popen[str], tmp_path: Path) -> None:
    assert owner.stdout is not None
    folder = Path(owner.stdout.readline().strip())
    assert len(marked(folder)) == len(COMPONENTS)
    owner.send_signal(signal.SIGKILL)
    assert until(lambda: not folder.exists())
    assert marked(folder) == []
    assert (tmp_path / "undone").exists()


def test_the_next_bed_ends_what_owner_and_guard_left(owner: subprocess.Popen[str], tmp_path: Path) -> None:
    assert owner.stdout is not None
    folder = Path(owner.stdout.readline().strip())
    with locked():  # no other bed starts meanwhile, here or beside
        os.kill(_guard_of(folder), signal.SIGKILL)
        owner.send_signal(signal.SIGKILL)
        owner.wait()
        assert len(marked(folder)) == len(COMPONENTS)
    new = Bed.create()
    assert marked(folder) == []
    assert not folder.exists()
    assert (tmp_path / "undone").exists()
    new.end()


def _guard_of(folder: Path) -> int:
    """The guard's pid; it carries no mark, or it would end itself."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if b"testbed.guard" in words and str(folder).encode() in words:
                    return int(entry.name)
    raise AssertionError(f"no guard of {folder}")


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does."""
    return subprocess.run([sys.executable, "-m", "testbed", *arguments], capture_output=True, text=True, check=False)


def test_the_command_line_starts_tells_and_ends_a_bed(built: None) -> None:
    name = f"cli-{os.getpid()}"
    up = command("up", "--name", name)
    assert up.returncode == 0, up.stderr
    try:
        kubeconfig = up.stdout.strip().removeprefix("export KUBECONFIG=")
        assert command("kubeconfig", "--name", name).stdout.strip() == kubeconfig
        core = client.CoreV1Api(config.new_client_from_config(kubeconfig))
        assert "default" in [found.metadata.name for found in core.list_namespace().items]
        again = command("up", "--name", name)
        assert again.stdout == up.stdout
        assert f"bed '{name}' is there already" in again.stderr
        status = command("status").stdout.partition(f"{name}  ")[2].splitlines()[1:5]
        assert [line.split()[0] for line in status] == sorted(COMPONENTS)
        assert all("running, pid " in line for line in status)
    finally:
        down = command("down", "--name", name)
    assert down.returncode == 0, down.stderr
    assert marked(root() / name) == []
    assert not (root() / name).exists()
    assert command("down", "--name", name).stderr.startswith(f"testbed: there is no bed '{name}'")
