"""Series of one resource."""

import math
from typing import Any

import pytest
from swiftlet.api.v1alpha1.progress import Progress
from swiftlet.observability.run_series import DEVICES, FAMILIES, FIGURES, devices, samples

Object = dict[str, Any]
KEY = ("FineTuneJob", "team", "bird")


def resource(kind: str = "FineTuneJob", reason: str = "Training", end: str = "Unknown", **status: Any) -> Object:
    summary = "Ready" if kind == "ModelDeployment" else "Succeeded"
    condition = {"type": summary, "status": end, "reason": reason}
    return {
        "kind": kind,
        "metadata": {"namespace": "team", "name": "bird", "generation": 1},
        "spec": {"backoffLimit": 2, "replicas": 3},
        "status": {"observedGeneration": 1, "conditions": [condition], **status},
    }


def told(document: Object) -> dict[tuple[str, ...], float]:
    """Value by the family's name, without its prefix, and the labels that come after the resource's own."""
    found = list(samples(document))
    assert all(one.labels[:3] == (document["kind"], "team", "bird") for one in found)
    assert all(len(one.labels) == 3 + len(one.family.labels) for one in found)
    keyed = {(one.family.name.removeprefix("swiftlet_"), *one.labels[3:]): one.value for one in found}
    assert len(keyed) == len(found), "a series is told twice"
    return keyed


def test_a_run_tells_its_figures() -> None:
    progress = {"step": 3, "totalSteps": 10, "percent": 30, "loss": "1.25", "etaSeconds": 70, "message": "evaluating"}
    channels = {"channelLosses": {"poems": "0.5", 'a "b"\n': "0.25"}}
    found = told(resource(progress=progress | channels, startTime="2026-01-01T00:00:10Z"))
    assert found.items() >= {
        ("state", "Training"): 1,
        ("run_step",): 3,
        ("run_total_steps",): 10,
        ("run_progress_ratio",): 0.3,
        ("run_loss",): 1.25,
        ("run_eta_seconds",): 70,
        ("run_channel_losses", "poems"): 0.5,
        ("run_channel_losses", "a \"b\"\n"): 0.25,
        ("run_start_time_seconds",): 1767225610,
    }.items()  # fmt: skip
    assert not [key for key in found if "message" in key[0]]


def test_every_number_of_the_progress_has_a_family() -> None:
    assert len(FIGURES) == len(Progress.model_fields) - 1  # the message
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    assert all(family.text.endswith(".") for family in FAMILIES)


@pytest.mark.parametrize(("text", "value"), [("nan", math.nan), ("inf", math.inf), ("1e-05", 1e-5), ("0", 0.0)])
def test_figures_are_told_as_they_are(text: str, value: float) -> None:
    assert told(resource(progress={"loss": text}))[("run_loss",)] == pytest.approx(value, nan_ok=True)


def test_what_is_no_number_is_not_told_and_spoils_nothing() -> None:
    found = told(resource(progress={"loss": "much", "step": 2}))
    assert ("run_loss",) not in found
    assert found[("run_step",)] == 2


def test_restarts_and_what_is_left_of_them() -> None:
    restarts = {"user": 2, "infrastructure": 7, "infrastructureRecent": 4}
    document = resource(restarts=restarts)
    found = told(document)
    assert [found[("run_restarts", cause)] for cause in ("user", "infrastructure")] == [2, 7]
    assert [found[("run_restarts_left", cause)] for cause in ("user", "infrastructure")] == [0, 6]
    document["spec"]["infrastructureRestartLimit"] = 5
    assert told(document)[("run_restarts_left", "infrastructure")] == 1


def test_rows_by_use_and_by_reason() -> None:
    found = told(resource(dataset={"read": 9, "used": 6, "evalRows": 1, "dropped": {"too long": 2}}))
    assert found.items() >= {("run_rows", "read"): 9, ("run_rows", "trained"): 6, ("run_rows", "held_out"): 1}.items()
    assert found[("run_rows_dropped", "too long")] == 2


@pytest.mark.parametrize(("end", "reason"), [("True", "Trained"), ("False", "Failed")])
def test_series_of_a_run_end_with_it(end: str, reason: str) -> None:
    assert told(resource(end=end, reason=reason, progress={"step": 3}, restarts={"user": 1})) == {}


def test_a_run_nobody_has_looked_at_is_pending() -> None:
    document = resource()
    del document["status"]
    assert told(document)[("state", "Pending")] == 1


def test_an_evaluation_tells_its_results_when_it_has_ended() -> None:
    results = [
        {"suite": "s", "metric": "exact", "subject": "target", "value": "0.75", "n": 4},
        {"suite": "s", "metric": "exact", "subject": "baseline", "value": "0.5", "n": 4},
    ]
    gates = [{"suite": "s", "metric": "exact", "passed": False, "message": "-"}]
    assert told(resource("EvalRun", "Failed", "False", results=results, gates=gates)) == {
        ("evalrun_result", "s", "exact", "target"): 0.75,
        ("evalrun_result", "s", "exact", "baseline"): 0.5,
        ("evalrun_gate_passed", "s", "exact"): 0,
    }


def test_a_model_tells_its_replicas() -> None:
    status = {"replicas": 3, "readyReplicas": 2, "servedNames": ["base", "pirate"], "progress": "loading the weights"}
    assert told(resource("ModelDeployment", "Available", "True", **status, updateRevision=2)) == {
        ("modeldeployment_revision", "update"): 2,
        ("state", "Available"): 1,
        ("modeldeployment_desired_replicas",): 3,
        ("modeldeployment_replicas",): 3,
        ("modeldeployment_ready_replicas",): 2,
        ("modeldeployment_served_names",): 2,
        ("modeldeployment_adapters", "serving"): 0,
        ("modeldeployment_adapters", "waiting"): 0,
    }


def test_devices_are_those_of_active_pods() -> None:
    def job(active: int | None, **limits: str) -> Object:
        containers = [{"resources": {"limits": limits | {"cpu": "4"}}}, {}]
        return {"kind": "Job", "spec": {"template": {"spec": {"containers": containers}}}, "status": {"active": active}}

    children = [
        job(2, **{"nvidia.com/gpu": "8", "rdma/hca": "1"}),
        job(None, **{"nvidia.com/gpu": "8"}),
        {"kind": "Pod"},
    ]
    found = {one.labels: one.value for one in devices(KEY, children)}
    assert found == {(*KEY, "nvidia.com/gpu"): 16, (*KEY, "rdma/hca"): 2}
    assert not list(devices(KEY, [job(0, **{"nvidia.com/gpu": "8"})]))
    assert DEVICES in FAMILIES


@pytest.mark.parametrize(
    ("ready", "served", "expected"),
    [(1, ["bird", "base", "a"], (1, 1)), (0, ["bird", "base", "a"], (0, 2)), (2, ["bird", "a", "b"], (2, 0))],
)
def test_adapters_are_counted_by_whether_they_answer(ready: int, served: list[str], expected: tuple[int, int]) -> None:
    deployment = resource("ModelDeployment", "Available", "True", servedNames=served, readyReplicas=ready)
    deployment["spec"]["adapters"] = [{"name": name, "uri": f"pvc://a/{name}"} for name in "ab"]
    found = told(deployment)
    states = ("serving", "waiting")
    assert tuple(found["modeldeployment_adapters", state] for state in states) == expected
