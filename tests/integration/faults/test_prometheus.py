"""A real Prometheus scrapes an operator whose job reports: series, alerts and dashboards have data, also after the
operator was killed, and a run's series end with it."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server
from ruamel.yaml import YAML
from swiftlet_trainer.serve.request_metrics import Meter, Outcome, series_by_name
from testbed.controlplane import ControlPlane
from testbed.debian import debian
from testbed.processes import Command, Process
from testbed.scene import Scene

from .test_progress import token_of

Object = dict[str, Any]
FILES = Path(__file__).parents[3] / "helm/swiftlet/files"
PROGRESS = {
    "time": "2026-01-01T00:00:00Z",
    "type": "progress",
    "step": 3,
    "totalSteps": 30,
    "percent": 10,
    "epoch": "0.1",
    "loss": "nan",
    "evalLoss": "1.5",
    "gradNorm": "0.7",
    "learningRate": "1e-4",
    "tokensPerSecond": "1234",
    "mfu": "0.4",
    "etaSeconds": 60,
}
ROWS = {
    "time": "2026-01-01T00:00:00Z",
    "type": "dataset",
    "dataset": {"read": 9, "used": 7, "evalRows": 1, "dropped": {"too long": 1}},
}
JOB = 'kind="FineTuneJob",name="bird"'


@dataclass
class Scraped:
    """A scene, and Prometheus by its API."""

    scene: Scene
    url: str

    def query(self, expression: str) -> list[Object]:
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, trust_env=False, timeout=30)
        assert answer.status_code == 200, (expression, answer.text)
        return list(answer.json()["data"]["result"])

    def value(self, expression: str) -> str | None:
        found = self.query(expression)
        assert len(found) < 2, (expression, found)
        return str(found[0]["value"][1]) if found else None

    def firing(self) -> set[str]:
        alerts = httpx.get(f"{self.url}/api/v1/alerts", trust_env=False, timeout=30).json()["data"]["alerts"]
        return {
            f"{alert['labels']['alertname']} {alert['labels'].get('name', '')}"
            for alert in alerts
            if alert["state"] == "firing"
        }


@contextlib.contextmanager
def model_server() -> Iterator[str]:
    """/metrics of a server with vLLM that has answered once: ours by served name, and of vLLM's own the cache."""
    registry = CollectorRegistry()
    series = series_by_name("swiftlet_", ["bird"], registry)["bird"]
    Gauge("vllm:kv_cache_usage_perc", "Share of the cache in use.", ["model_name"], registry=registry).labels("base")
    meter = Meter(series, prompt_tokens=5)
    meter.tokens(1)
    meter.tokens(1)
    meter.end(Outcome.STOP)
    server, thread = start_http_server(0, "127.0.0.1", registry)
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def configuration(folder: Path, target: str, served: str) -> Path:
    """Of a Prometheus that looks each second, with the chart's alerts, which here need not hold for long. served: the
    /metrics of a model server, which gets the labels that the chart's PodMonitor gives."""
    yaml = YAML(typ="safe")
    rules = [
        {"alert": rule["alert"], "expr": rule["expr"], "labels": {"severity": rule["severity"]}}
        for rule in yaml.load(FILES / "alerts.yaml")
    ]
    yaml.dump({"groups": [{"name": "swiftlet", "rules": rules}]}, folder / "rules.yaml")
    job = {"job_name": "swiftlet-operator", "honor_labels": True, "static_configs": [{"targets": [target]}]}
    labels = {"namespace": "team", "name": "model", "kind": "ModelDeployment", "pod": "model-serve-0"}
    servers = {"job_name": "servers", "static_configs": [{"targets": [served], "labels": labels}]}
    written = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "rules.yaml")],
        "scrape_configs": [job, servers],
    }
    yaml.dump(written, folder / "prometheus.yaml")
    return folder / "prometheus.yaml"


@pytest.fixture(scope="module")
def scraped(
    control_plane: ControlPlane,
    new_scene: Callable[..., Scene],
    document: Callable[..., Object],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Scraped]:
    """A job that has restarted once and then reported, an evaluation with a gate that is not passed, a served model."""
    scene = new_scene("--no-leader-election", "--progress-url", "http://operator.test:8080/progress")
    folder = tmp_path_factory.mktemp("prometheus")
    listen = f"127.0.0.1:{control_plane.bed.free_port()}"
    stack = contextlib.ExitStack()
    served = stack.enter_context(model_server())
    config = configuration(folder, scene.operator.metrics_url.removeprefix("http://"), served)
    options = (f"--config.file={config}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address={listen}")
    process = Process(control_plane.bed, Command("prometheus", [str(debian("prometheus")), *options], {}))
    try:
        process.wait_ready(f"http://{listen}/-/ready")
        populate(scene, document)
        yield Scraped(scene, f"http://{listen}")
    finally:
        process.stop()
        stack.close()


def populate(scene: Scene, document: Callable[..., Object]) -> None:
    job = document("bird", backoffLimit=1, compute={"gpus": 2})
    uid = scene.create(job)["metadata"]["uid"]
    scene.end_pods(uid, exit_code=1, message="flaky")
    scene.wait(lambda: (scene.get("FineTuneJob", "bird")["status"].get("restarts") or {}).get("user") == 1, "a restart")
    scene.start_pods(uid)
    scene.wait_condition("FineTuneJob", "bird", "Running", "True")
    running = next(pod for pod in scene.pods(uid) if pod["status"]["phase"] == "Running")
    headers = {"Authorization": f"Bearer {token_of(scene, running)}"}
    body = json.dumps([PROGRESS, ROWS])
    answer = httpx.post(f"{scene.operator.url}/progress", content=body, headers=headers, trust_env=False, timeout=60)
    assert answer.status_code < 300, answer.text
    scene.wait(lambda: (scene.get("FineTuneJob", "bird")["status"].get("progress") or {}).get("step") == 3, "a report")
    suite = {"name": "capitals", "generation": {"uri": "configmap://rows/train.jsonl"}}
    gates = [{"suite": "capitals", "metric": "contains", "min": 0.99}]
    target = {"model": {"uri": "hf://HuggingFaceTB/SmolLM2-135M-Instruct"}}
    run = {**document("exam"), "kind": "EvalRun", "spec": {"target": target, "suites": [suite], "gates": gates}}
    scene.end_pods(scene.create(run)["metadata"]["uid"])  # "contains" is 0.95
    scene.wait_condition("EvalRun", "exam", "GatePassed", "False")
    served = {**document("model"), "kind": "ModelDeployment", "spec": {**target, "replicas": 2}}
    scene.start_pods(scene.create(served)["metadata"]["uid"], 2)
    scene.wait(lambda: scene.get("ModelDeployment", "model")["status"].get("readyReplicas") == 2, "two replicas")


def test_runs_evaluations_and_models_have_series(scraped: Scraped) -> None:
    expected = {
        f'swiftlet_state{{{JOB},state="Training"}}': "1",
        f"swiftlet_run_step{{{JOB}}}": "3",
        f"swiftlet_run_progress_ratio{{{JOB}}}": "0.1",
        f"swiftlet_run_loss{{{JOB}}}": "NaN",
        f'swiftlet_run_restarts{{{JOB},cause="user"}}': "1",
        f'swiftlet_run_restarts_left{{{JOB},cause="user"}}': "0",
        f'swiftlet_run_rows_dropped{{{JOB},reason="too long"}}': "1",
        f'swiftlet_run_devices{{{JOB},resource="nvidia.com/gpu"}}': "2",
        'swiftlet_evalrun_result{name="exam",suite="capitals",subject="target"}': "0.95",
        'swiftlet_evalrun_gate_passed{name="exam",suite="capitals"}': "0",
        'swiftlet_modeldeployment_ready_replicas{name="model"}': "2",
    }
    found: dict[str, str | None] = {}

    def are_told() -> bool:
        found.update((expression, scraped.value(expression)) for expression in expected)
        return found == expected

    with contextlib.suppress(AssertionError):  # the difference says more
        scraped.scene.wait(are_told, "a scrape of all of them")
    assert found == expected
    assert {one["metric"]["namespace"] for one in scraped.query("swiftlet_run_step")} == {scraped.scene.namespace}


def test_alerts_fire(scraped: Scraped) -> None:
    wanted = {"SwiftletLossIsNotFinite bird", "SwiftletRestartsRunOut bird", "SwiftletGateFailed exam"}
    # While the replicas started they were too few, and here that need not hold for a while.
    scraped.scene.wait(lambda: scraped.firing() == wanted, f"{wanted} and no other")


@pytest.mark.parametrize("file", sorted(FILES.glob("dashboards/*.json")), ids=lambda file: file.stem)
def test_every_panel_has_data(scraped: Scraped, file: Path) -> None:
    panels = [panel for panel in json.loads(file.read_text())["panels"] if panel.get("targets")]
    assert len(panels) > 2
    queries = {(panel["title"], target["expr"]) for panel in panels for target in panel["targets"]}
    for variable in ("$namespace", "$name", "$kind"):
        queries = {(title, query.replace(variable, ".*")) for title, query in queries}
    empty = queries
    deadline = time.monotonic() + 60
    while empty and time.monotonic() < deadline:
        empty = {one for one in empty if not scraped.query(one[1].replace("[5m]", "[30s]"))}
        time.sleep(0.5)
    assert not empty


def test_an_operator_that_is_killed_goes_on_with_the_same_series_and_they_end_with_the_run(scraped: Scraped) -> None:
    scene, step = scraped.scene, f"swiftlet_run_step{{{JOB}}}"
    scene.operator.kill()
    scraped.scene.wait(lambda: scraped.value(step) is None, "that the series is gone with its operator")
    scene.operator.start()
    scene.operator.wait_ready()
    scraped.scene.wait(lambda: scraped.value(step) == "3", "the step, from the status")
    scene.delete("FineTuneJob", "bird")
    scraped.scene.wait(lambda: scraped.value(step) is None, "the end of a series whose run is gone")
    assert scraped.value('swiftlet_evalrun_gate_passed{name="exam"}') == "0"
