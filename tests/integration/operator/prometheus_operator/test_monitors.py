"""The chart's monitors and rules beside the real Prometheus operator; a real Prometheus runs with what that writes."""

import base64
import gzip
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from kubernetes import client
from prometheus_client import CollectorRegistry, Gauge, start_http_server
from ruamel.yaml import YAML
from testbed.controlplane import ControlPlane
from testbed.debian import debian
from testbed.processes import Command, Process
from testbed.programs import program
from testbed.prometheus_operator import PrometheusOperator

Object = dict[str, Any]
CHART = Path(__file__).parents[4] / "helm/swiftlet"
KINDS = ("PodMonitor", "PrometheusRule", "ServiceMonitor")
KEY = "monitoring.podMonitor.authorization.credentials"
VALUES = (
    "registry=registry.example/swiftlet",
    *(f"monitoring.{one}.enabled=true" for one in ("serviceMonitor", "podMonitor", "prometheusRule")),
    *(f"monitoring.{one}.labels.release=prometheus" for one in ("serviceMonitor", "podMonitor", "prometheusRule")),
    "monitoring.podMonitor.interval=1s",
    f"{KEY}.name=chat",
    f"{KEY}.key=key",
)
SERVER = {"app.kubernetes.io/managed-by": "swiftlet", "app.kubernetes.io/component": "server"}
SECRET = "sesame"


def _wait(found: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.2)
    raise AssertionError(f"{what} did not come")


@pytest.fixture(scope="module")
def operator(control_plane: ControlPlane) -> Iterator[PrometheusOperator]:
    with PrometheusOperator(control_plane) as running:
        yield running


@pytest.fixture
def monitors(namespace: str) -> list[Object]:
    """As the chart has them, for a release in the test's namespace."""
    command = [str(program("helm")), "template", "swiftlet", str(CHART), "--namespace", namespace]
    done = subprocess.run(
        [*command, *(f"--set={value}" for value in VALUES)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    documents = [one for one in YAML(typ="safe", pure=True).load_all(done.stdout) if one]
    return sorted((one for one in documents if one["kind"] in KINDS), key=lambda one: str(one["kind"]))


@pytest.fixture
def apply(control_plane: ControlPlane) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Apply objects; a field that the kind does not have is an error."""

    def run(*objects: Object, check: bool = True) -> subprocess.CompletedProcess[str]:
        document = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        how = ("--server-side", "--validate=strict", "-f", "-")
        return control_plane.kubectl("apply", *how, stdin=document, check=check)

    return run


@pytest.fixture
def written(
    operator: PrometheusOperator,
    monitors: list[Object],
    apply: Callable[..., Any],
    control_plane: ControlPlane,
    core: client.CoreV1Api,
    namespace: str,
) -> Object:
    """The configuration that the operator writes for a Prometheus that takes what has our label. Debian's has no
    kubernetes_sd_configs, which are left out."""
    control_plane.kubectl("create", "secret", "generic", "chat", f"--from-literal=key={SECRET}", "-n", namespace)
    labelled = {"matchLabels": {"release": "prometheus"}}
    selectors = dict.fromkeys(("podMonitorSelector", "serviceMonitorSelector", "ruleSelector"), labelled)
    head = {"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus"}
    metadata, spec = {"name": "main", "namespace": namespace}, {"version": "v2.42.0", **selectors}
    apply(*monitors, {**head, "metadata": metadata, "spec": spec})

    def configuration() -> Object | None:
        found = [one for one in core.list_namespaced_secret(namespace).items if one.metadata.name == "prometheus-main"]
        text = gzip.decompress(base64.b64decode(found[0].data["prometheus.yaml.gz"])) if found else b""
        # Of a pod's own number, which its config reloader fills in.
        content: Object = YAML(typ="safe", pure=True).load(text.replace(b"$(SHARD)", b"0")) or {}
        return content if len(content.get("scrape_configs") or []) == 2 else None

    content: Object = _wait(configuration, "a configuration with both monitors")
    for job in content["scrape_configs"]:
        assert job.pop("kubernetes_sd_configs")[0]["role"] in ("pod", "endpoints")
    return content


def _file(folder: Path, content: Object) -> Path:
    path = folder / "prometheus.yaml"
    path.write_text(json.dumps(content))
    return path


def _promtool(*arguments: str) -> str:
    done = subprocess.run([str(debian("promtool")), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_field_that_no_monitor_has_is_refused(
    operator: PrometheusOperator, monitors: list[Object], apply: Callable[..., Any]
) -> None:
    """So that nothing of the others is accepted and ignored."""
    assert tuple(one["kind"] for one in monitors) == KINDS
    (endpoint,) = monitors[0]["spec"]["podMetricsEndpoints"]
    endpoint["relabelConfigs"] = endpoint.pop("relabelings")
    refused = apply(monitors[0], check=False)
    assert refused.returncode != 0 and "relabelConfigs" in refused.stderr


def test_the_configuration_is_one_and_has_every_rule(
    written: Object, monitors: list[Object], core: client.CoreV1Api, namespace: str, tmp_path: Path
) -> None:
    jobs = {one["job_name"]: one for one in written["scrape_configs"]}
    servers = jobs[f"podMonitor/{namespace}/swiftlet-servers/0"]
    assert servers["authorization"]["credentials"] == SECRET and servers["metrics_path"] == "/metrics"
    assert jobs[f"serviceMonitor/{namespace}/swiftlet-operator/0"]["honor_labels"] is True
    assert "is valid prometheus config" in _promtool("check", "config", "--syntax-only", str(_file(tmp_path, written)))

    def texts() -> list[str]:
        maps = core.list_namespaced_config_map(namespace).items
        return [text for one in maps if "rulefiles" in one.metadata.name for text in (one.data or {}).values()]

    (rules,) = _wait(texts, "a file of rules")
    (tmp_path / "rules.yaml").write_text(rules)
    count = sum(len(group["rules"]) for group in monitors[1]["spec"]["groups"])
    assert f"SUCCESS: {count} rules found" in _promtool("check", "rules", str(tmp_path / "rules.yaml"))


def test_a_server_is_scraped_under_the_name_of_its_deployment_and_nothing_else_is(
    written: Object, control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    registry = CollectorRegistry()
    Gauge("swiftlet_num_requests_running", "Requests.", ["model_name"], registry=registry).labels("base").set(3)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    (job,) = [one for one in written["scrape_configs"] if one["job_name"].startswith("podMonitor/")]
    address = f"127.0.0.1:{server.server_port}"
    pods = [
        _discovered(address, "bird-serve-0", **SERVER),
        _discovered(address, "ended", phase="Failed", **SERVER),
        _discovered(address, "metrics", port="metrics", **SERVER),
        _discovered(address, "training", **{**SERVER, "app.kubernetes.io/component": "trainer"}),
        _discovered(address, "somebodys"),
    ]
    config = _file(tmp_path, {"scrape_configs": [{**job, "static_configs": pods}]})
    listen = f"127.0.0.1:{control_plane.bed.free_port()}"
    options = (f"--config.file={config}", f"--storage.tsdb.path={tmp_path}/data", f"--web.listen-address={listen}")
    process = Process(control_plane.bed, Command("scraper", [str(debian("prometheus")), *options], {}))
    try:
        process.wait_ready(f"http://{listen}/-/ready")

        def answered(path: str, **asked: str) -> Any:
            return httpx.get(f"http://{listen}/api/v1/{path}", params=asked, trust_env=False).json()["data"]

        found = _wait(lambda: answered("query", query="swiftlet_num_requests_running")["result"], "a series")
        targets = answered("targets")
    finally:
        process.stop()
        server.shutdown()
        thread.join()
    assert len(targets["activeTargets"]) == 1 and len(targets["droppedTargets"]) == 4
    assert [one["value"][1] for one in found] == ["3"]
    told = {name: found[0]["metric"][name] for name in ("namespace", "pod", "name", "kind", "model_name")}
    assert told == {
        "namespace": "team",
        "pod": "bird-serve-0",
        "name": "bird",
        "kind": "ModelDeployment",
        "model_name": "base",
    }


def _discovered(address: str, pod: str, phase: str = "Running", port: str = "http", **labels: str) -> Object:
    """A port of a pod as Prometheus discovers it. Source: prometheus.io, kubernetes_sd_config, role pod."""
    pods = "__meta_kubernetes_pod"
    meta = {"name": pod, "phase": phase, "container_name": "serve", "container_port_name": port}
    for key, value in {**labels, "app.kubernetes.io/part-of": "bird"}.items():
        mangled = re.sub(r"[^a-zA-Z0-9_]", "_", key)
        meta |= {f"label_{mangled}": value, f"labelpresent_{mangled}": "true"}
    found = {"__meta_kubernetes_namespace": "team", **{f"{pods}_{key}": value for key, value in meta.items()}}
    return {"targets": [address], "labels": found}
