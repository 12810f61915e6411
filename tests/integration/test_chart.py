"""The chart on a real API server: installed by real helm into a namespace that enforces the restricted pod security."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from testbed.controlplane import ControlPlane
from testbed.manifests import await_kinds
from testbed.programs import program

pytestmark = pytest.mark.timeout(1800)  # whichever comes first may have to build helm

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "swiftlet"
NAMESPACE = "swiftlet-system"
OPERATOR = f"system:serviceaccount:{NAMESPACE}:swiftlet-operator"
REGISTRY = ["--set=registry=registry.example/swiftlet"]
DEFAULT_PROFILE = "swiftlet-default-profile"
INSTALLS = int(os.environ.get("SWIFTLET_INSTALLS", "2"))
"""First installations in a row."""
PROFILE = {"storage": {"artifactsStorageClass": "shared", "artifactsSize": "1Gi"}}
JOB = """
apiVersion: v1
kind: ConfigMap
metadata: {name: rows}
data: {rows.jsonl: '{"text": "hello"}'}
---
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {name: bird}
spec:
  model: {uri: hf://org/model}
  datasets: [{uri: configmap://rows/rows.jsonl}]
---
apiVersion: swiftlet.dev/v1alpha1
kind: EvalRun
metadata: {name: bird}
spec:
  target: {model: {uri: hf://org/model}}
  suites: [{perplexity: {uri: configmap://rows/rows.jsonl}}]
---
apiVersion: swiftlet.dev/v1alpha1
kind: ModelDeployment
metadata: {name: bird}
spec:
  model: {uri: hf://org/model}
  replicas: 2
"""


class Release:
    """The chart as a release of a control plane."""

    def __init__(self, cluster: ControlPlane) -> None:
        self.cluster, self._helm = cluster, program("helm")

    def helm(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run helm as administrator."""
        environment = {**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig)}
        done = subprocess.run(
            [str(self._helm), *arguments, f"--namespace={NAMESPACE}"],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stderr
        return done

    def upgrade(
        self, chart: Path = CHART, check: bool = True, values: Sequence[str] = (), **spec: Any
    ) -> subprocess.CompletedProcess[str]:
        """Install or upgrade with this ComputeProfile, and with values as `--set` takes them."""
        profile = f"--set-json=computeProfile.spec={json.dumps(spec or PROFILE)}"
        settings = [f"--set={value}" for value in values]
        settings += REGISTRY
        return self.helm("upgrade", "--install", "swiftlet", str(chart), profile, *settings, check=check)

    def get(self, *arguments: str) -> dict[str, Any]:
        """An object, or a list of some."""
        found: dict[str, Any] = json.loads(self.cluster.kubectl("get", *arguments, "-o", "json").stdout)
        return found

    def can(self, user: str, verb: str, what: str, *arguments: str) -> bool:
        """What RBAC says."""
        answer = self.cluster.kubectl("auth", "can-i", verb, what, f"--as={user}", *arguments, check=False)
        return answer.stdout.strip() == "yes"


@pytest.fixture(scope="module")
def release(built: None) -> Iterator[Release]:
    """Installed on a control plane of its own, so that the CRDs come by the chart."""
    with ControlPlane(audit=True) as cluster:
        cluster.kubectl("create", "namespace", NAMESPACE)
        cluster.kubectl("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        release = Release(cluster)
        release.upgrade()
        yield release


@pytest.fixture
def team(release: Release) -> str:
    """A new namespace's name."""
    name = f"team-{uuid.uuid4().hex[:6]}"
    release.cluster.kubectl("create", "namespace", name)
    return name


def until(what: str, true: Callable[[], Any], seconds: float = 180) -> Any:
    """What `true` returns once it is not empty."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what} did not come within {seconds:.0f} s")


def test_the_restricted_namespace_admits_the_pods(release: Release) -> None:
    pods = until("2 pods", lambda: len(found := release.get("pods", "-n", NAMESPACE)["items"]) == 2 and found)
    assert {pod["metadata"]["labels"]["app.kubernetes.io/name"] for pod in pods} == {"swiftlet-operator"}


def test_the_crds_are_served_and_equal_those_of_the_repository(release: Release) -> None:
    await_kinds(release.cluster)
    for file in (ROOT / "crds").glob("*.yaml"):
        ours = YAML(typ="safe").load(file)
        stored = release.get("crd", ours["metadata"]["name"])
        assert stored["spec"]["versions"][0]["schema"] == ours["spec"]["versions"][0]["schema"]
    assert "swiftlet-operator" in release.get("deploy", "swiftlet-operator", "-n", NAMESPACE)["metadata"]["name"]


def test_the_operator_may_do_what_it_needs_and_no_more(release: Release) -> None:
    for verb, what, *arguments in (
        ("patch", "jobs.batch", "-A"),
        ("patch", "finetunejobs.swiftlet.dev", "--subresource=status", "-A"),
        ("patch", "leases/swiftlet-operator", "-n", NAMESPACE),
    ):
        until(f"the right to {verb} {what}", lambda right=(verb, what, *arguments): release.can(OPERATOR, *right))
    for verb, what, *arguments in (
        ("get", "secrets", "-A"),
        ("create", "pods", "-A"),
        ("create", "pods", "--subresource=exec", "-A"),
        ("delete", "persistentvolumeclaims", "-A"),
        ("patch", "finetunejobs.swiftlet.dev", "-A"),
        ("delete", "modeldeployments.swiftlet.dev", "-A"),
        ("patch", "leases/another", "-n", NAMESPACE),
        ("get", "leases/swiftlet-operator", "-n", "kube-system"),
        ("create", "clusterrolebindings", "-A"),
    ):
        assert not release.can(OPERATOR, verb, what, *arguments), f"{verb} {what}"


def test_editors_get_the_kinds_by_aggregation(release: Release, team: str) -> None:
    release.cluster.kubectl("create", "rolebinding", "edit", "--clusterrole=edit", "--user=ada", "-n", team)
    release.cluster.kubectl("create", "rolebinding", "view", "--clusterrole=view", "--user=bob", "-n", team)
    until("aggregation", lambda: release.can("ada", "create", "finetunejobs.swiftlet.dev", "-n", team))
    until("aggregation", lambda: release.can("bob", "list", "modeldeployments.swiftlet.dev", "-n", team))
    assert not release.can("bob", "create", "finetunejobs.swiftlet.dev", "-n", team)
    assert not release.can("ada", "create", "computeprofiles.swiftlet.dev")
    until("a role", lambda: release.can("bob", "get", f"configmaps/{DEFAULT_PROFILE}", "-n", NAMESPACE))
    assert not release.can("bob", "get", "configmaps/another", "-n", NAMESPACE)


@contextmanager
def operating(release: Release, log: Path, *arguments: str) -> Iterator[list[dict[str, Any]]]:
    """The operator runs as its own ServiceAccount; the list holds what it asked of the API server once it has ended."""
    account = release.cluster.service_account_kubeconfig(NAMESPACE, "swiftlet-operator")
    fixed = ["operator", "run", "--listen=127.0.0.1:0", f"--kubeconfig={account}", f"--lease-namespace={NAMESPACE}"]
    profile = log.with_name("profile.yaml")
    profile.write_text(release.get("configmap", DEFAULT_PROFILE, "-n", NAMESPACE)["data"]["profile.yaml"])
    fixed += ["--metrics-listen=127.0.0.1:0", f"--default-profile={profile}"]
    calls: list[dict[str, Any]] = []
    since = len(release.cluster.audit_events(OPERATOR))
    with log.open("w") as out:
        command = [sys.executable, "-m", "swiftlet.cli.main", *fixed, *arguments]
        process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            yield calls
        finally:
            process.terminate()
            process.wait(120)
    calls += release.cluster.audit_events(OPERATOR)[since:]


def refused(calls: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """(verb, resource) of what RBAC did not allow."""
    assert len(calls) > 20
    return {(one["verb"], one["objectRef"]["resource"]) for one in calls if one["responseStatus"]["code"] == 403}


def test_the_operator_works_with_these_rules(release: Release, team: str, tmp_path: Path) -> None:
    """Nothing that it asks for is forbidden."""
    with operating(release, tmp_path / "log") as calls:
        release.cluster.kubectl("apply", "-n", team, "-f", "-", stdin=JOB)
        until("jobs", lambda: len(release.get("jobs", "-n", team)["items"]) == 2)
        until("budget", lambda: release.get("pdb", "-n", team)["items"])
        until("policies", lambda: len(release.get("networkpolicy", "-n", team)["items"]) == 3)
        release.cluster.kubectl("patch", "mdep", "bird", "-n", team, "--type=merge", "-p", '{"spec":{"replicas":1}}')
        until("no budget", lambda: not release.get("pdb", "-n", team)["items"])
        about = ("-n", team, "--field-selector=involvedObject.kind=FineTuneJob")
        until("an event", lambda: release.get("events", *about)["items"])
    assert release.get("pvc", "swiftlet-artifacts", "-n", team)["spec"]["storageClassName"] == "shared"
    assert not refused(calls), (tmp_path / "log").read_text()[-2000:]


def test_in_some_namespaces_it_works_with_rights_there_only(release: Release, team: str, tmp_path: Path) -> None:
    release.upgrade(values=[f"watchNamespaces={{{team}}}"])
    until("fewer rights", lambda: not release.can(OPERATOR, "list", "jobs.batch", "-n", "default"))
    until("its rights", lambda: release.can(OPERATOR, "list", "jobs.batch", "-n", team))
    with operating(release, tmp_path / "log", f"--watch-namespace={team}") as calls:
        release.cluster.kubectl("apply", "-n", team, "-f", "-", stdin=JOB)
        until("jobs", lambda: len(release.get("jobs", "-n", team)["items"]) == 2)
    assert not refused(calls), (tmp_path / "log").read_text()[-2000:]
    release.upgrade(values=["watchNamespaces=null"])
    until("all rights", lambda: release.can(OPERATOR, "list", "jobs.batch", "-n", "default"))


def test_what_helm_test_runs(release: Release, team: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its dry runs against the real API server, as the account that the chart gives it."""
    spec = importlib.util.spec_from_file_location("check", CHART / "files" / "check.py")
    assert spec and spec.loader
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    release.cluster.kubectl("create", "serviceaccount", "swiftlet-test", "-n", team)
    token = release.cluster.kubectl("create", "token", "swiftlet-test", "-n", team).stdout.strip()
    for name, text in (("token", token), ("namespace", team), ("ca.crt", release.cluster.ca.read_text())):
        (tmp_path / name).write_text(text)
    host, port = release.cluster.server.removeprefix("https://").split(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    monkeypatch.setattr(check, "ACCOUNT", tmp_path)
    assert check.create(check.JOB)[0] == 403
    rendered = release.helm("template", str(CHART), *REGISTRY, "--show-only=templates/tests/check.yaml").stdout
    role = next(one for one in YAML(typ="safe").load_all(rendered) if one["kind"] == "Role")
    role["metadata"]["namespace"] = team
    release.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(role))
    release.cluster.kubectl(
        "create", "rolebinding", "check", "--role=swiftlet-test", f"--serviceaccount={team}:swiftlet-test", "-n", team
    )
    accepted = until("permission", lambda: (got := check.create(check.JOB))[0] != 403 and got)
    assert accepted[0] == 201
    assert '"warmupRatio"' in accepted[1], "with the defaults of the schema"
    answer = check.create({**check.JOB, "spec": {**check.JOB["spec"], "tuner": {"lora": {"rank": 0}}}})
    assert answer[0] == 422
    assert "spec.tuner.lora.rank" in answer[1]
    assert not release.get("ftj", "-n", team)["items"]


def default_profile(release: Release) -> dict[str, Any]:
    """The profile that the operator reads."""
    text = release.get("configmap", DEFAULT_PROFILE, "-n", NAMESPACE)["data"]["profile.yaml"]
    return dict(YAML(typ="safe").load(text))


def test_an_upgrade_upgrades_crds_and_the_profile(release: Release, tmp_path: Path) -> None:
    assert default_profile(release)["spec"]["storage"]["artifactsStorageClass"] == "shared"
    newer = tmp_path / "swiftlet"
    shutil.copytree(CHART, newer)
    crd = newer / "files" / "crds" / "swiftlet.dev_computeprofiles.yaml"
    crd.write_text(crd.read_text().replace("- cprof\n", "- cprof\n    - cpf\n"))
    release.upgrade(newer, gpuResourceName="amd.com/gpu")
    assert default_profile(release)["spec"]["gpuResourceName"] == "amd.com/gpu"
    assert "cpf" in release.get("crd", "computeprofiles.swiftlet.dev")["spec"]["names"]["shortNames"]
    release.upgrade()
    assert "gpuResourceName" not in default_profile(release)["spec"]


def test_the_profile_as_an_object_where_the_kind_is_served(release: Release) -> None:
    """For Argo CD, which shows and mends drift of plain objects; it is the release's, and goes with it."""
    release.upgrade(values=["computeProfile.asResource=true", "computeProfile.name=shared"])
    stored = release.get("cprof", "shared")
    assert stored["spec"]["images"]["trainer"] == "registry.example/swiftlet/trainer:0.1.0"
    refused = release.upgrade(check=False, values=["computeProfile.asResource=true"], storage={"artifactsSize": "1Gi"})
    assert refused.returncode != 0
    assert "artifactsStorageClass" in refused.stderr
    release.upgrade()
    assert not release.get("cprof")["items"]


def test_a_profile_that_breaks_a_rule_ends_the_operator_with_the_reason(release: Release, tmp_path: Path) -> None:
    """So the rollout of a bad profile stands still, and the replicas before it go on with the good one."""
    release.upgrade(storage={"artifactsSize": "1Gi"})
    with pytest.raises(AssertionError, match="artifactsStorageClass"), operating(release, tmp_path / "log") as _:
        until("its end", lambda: "artifactsStorageClass" in (tmp_path / "log").read_text())
        raise AssertionError((tmp_path / "log").read_text())
    release.upgrade()


def test_uninstalling_keeps_what_people_wrote(release: Release, team: str) -> None:
    """Last, as it takes the release away."""
    release.cluster.kubectl("apply", "-n", team, "-f", "-", stdin=JOB)
    release.helm("uninstall", "swiftlet")
    assert release.get("ftj", "bird", "-n", team)["spec"]["model"]["uri"] == "hf://org/model"
    assert not release.get("clusterroles", "-l", "app.kubernetes.io/name=swiftlet-operator")["items"]
    release.upgrade()  # and it takes the CRDs up again
    assert release.get("ftj", "bird", "-n", team)["metadata"]["name"] == "bird"


def test_installing_does_not_wait_for_the_kinds_to_be_served(built: None) -> None:
    """Not even where they never are; and time after time where they come with the release."""
    with ControlPlane() as cluster:
        cluster.kubectl("create", "namespace", NAMESPACE)
        release = Release(cluster)
        release.upgrade(values=["crds.enabled=false"])
        release.helm("uninstall", "swiftlet")
        for _ in range(INSTALLS):
            release.upgrade()
            release.helm("uninstall", "swiftlet")
            cluster.kubectl("delete", "crd", "-l", "app.kubernetes.io/part-of=swiftlet")
