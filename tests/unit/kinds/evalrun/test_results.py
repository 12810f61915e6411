"""Figures, once known, are final; those that nobody has read are looked for once; what did not fit is said."""

from typing import Any

import pytest
from swiftlet.api.v1alpha1.evalrun import Comparison, Result
from swiftlet.wire.figures import tabled
from swiftlet.wire.messages import TerminationMessage

FIGURE = {"suite": "generation", "metric": "contains", "n": 10}


def figures(value: str, **more: Any) -> dict[str, Any]:
    report = {"uri": "pvc://swiftlet-artifacts/report.html", "digest": "sha256:r"}
    measured = {"modelDigest": "sha256:m", "adapterDigest": "sha256:aaaa"}
    said = {"report": report, "measured": measured, "lastLines": "progress step=10"}
    return {"results": [{**FIGURE, "value": value}], **said, **more}


@pytest.fixture
def started(world: Any, documents: Any) -> Any:
    world.trained()
    world.add(documents["EvalRun"])
    world.reconcile("EvalRun")
    return world


def collect_pods(world: Any) -> None:
    for key in [key for key in world.objects if key[0] == "Pod"]:
        del world.objects[key]


def succeeded(world: Any) -> tuple[str, str]:
    return tuple(world.condition("EvalRun", "Succeeded")[:2])  # type: ignore[return-value]


@pytest.mark.parametrize(("value", "reason"), [("0.95", "Evaluated"), ("0.5", "GateFailed")])
@pytest.mark.parametrize("gone", ["pods", "jobs and pods"])
def test_figures_outlive_their_pod(started: Any, value: str, reason: str, gone: str) -> None:
    started.job_completes("bird-eval", figures(value), container="evaluate")
    started.reconcile("EvalRun")
    before = started.status("EvalRun")
    assert before["measured"] == {"modelDigest": "sha256:m", "adapterDigest": "sha256:aaaa"}
    assert before["lastLines"] == "progress step=10"
    collect_pods(started)
    if gone != "pods":
        del started.objects["Job", "default", "bird-eval"]
    started.pass_time(3600)
    outcome = started.reconcile("EvalRun")
    assert outcome.events == [] and outcome.desired == [] and outcome.delete == []
    assert started.status("EvalRun") == before and succeeded(started)[1] == reason


def test_figures_that_nobody_has_read_are_reported_by_one_more_pod(started: Any) -> None:
    started.job_completes("bird-eval", figures("0.95"), container="evaluate")
    collect_pods(started)
    outcome = started.reconcile("EvalRun")
    assert succeeded(started) == ("Unknown", "BackingOff") and outcome.requeue_after == 30 and outcome.desired == []
    assert "nobody has read their result" in started.condition("EvalRun", "Running")[2]
    started.pass_time(31)
    started.reconcile("EvalRun")
    assert ("Job", "default", "bird-eval-1") in started.objects
    started.job_completes("bird-eval-1", figures("0.95"), container="evaluate")
    started.reconcile("EvalRun")
    assert succeeded(started) == ("True", "Evaluated")


def test_a_pod_whose_end_is_seen_after_its_jobs_is_waited_for(started: Any) -> None:
    started.job_completes("bird-eval", figures("0.95"), container="evaluate")
    pods = {key: found for key, found in started.objects.items() if key[0] == "Pod"}
    collect_pods(started)
    started.reconcile("EvalRun")
    started.objects |= pods
    started.pass_time(5)
    started.reconcile("EvalRun")
    assert succeeded(started) == ("True", "Evaluated") and ("Job", "default", "bird-eval-1") not in started.objects


def test_it_is_looked_for_once(started: Any) -> None:
    for name in ("bird-eval", "bird-eval-1"):
        started.job_completes(name, {}, container="evaluate")
        started.reconcile("EvalRun")
        started.pass_time(31)
        started.reconcile("EvalRun")
    assert succeeded(started) == ("False", "ResultMissing")
    assert "nor on the volume" in started.condition("EvalRun", "Succeeded")[2]
    assert len([key for key in started.objects if key[0] == "Job"]) == 2


def test_another_artifact_takes_both_jobs_away(started: Any) -> None:
    started.job_completes("bird-eval", {}, container="evaluate")
    started.pass_time(31)
    started.reconcile("EvalRun")
    started.trained(digest="sha256:bbbb")
    assert sorted(ref.name for ref in started.reconcile("EvalRun").delete) == ["bird-eval", "bird-eval-1"]
    started.reconcile("EvalRun")
    assert [key[2] for key in started.objects if key[0] == "Job"] == ["bird-eval"]


def test_bad_input_does_not_start_again(started: Any) -> None:
    started.pod_dies("bird-eval", 2, {"failure": {"reason": "InvalidInput", "message": "row 7"}})
    started.job_fails("bird-eval", "PodFailurePolicy")
    started.reconcile("EvalRun")
    started.objects["EvalRun", "default", "bird"]["spec"]["backoffLimit"] = 5
    started.pass_time(300)
    assert started.reconcile("EvalRun").desired == []


def test_a_table_of_figures_is_read_like_a_list(started: Any) -> None:
    result = Result.model_validate({**FIGURE, "value": "0.95", "stderr": "0.1"})
    baseline = result.model_copy(update={"subject": "baseline", "value": "0.1"})
    numbers = dict.fromkeys(("target", "baseline", "delta", "ciLow", "ciHigh"), "0.95") | {"baseline": "0.1"}
    change = Comparison.model_validate({"suite": "generation", "metric": "contains", **numbers})
    message = TerminationMessage(figures=tabled([result, baseline], [change]))
    started.job_completes("bird-eval", message.document(), container="evaluate")
    status = started.reconcile("EvalRun").status
    assert status["results"] == [result.document(), baseline.document()]
    assert status["comparison"] == [change.document()] and status["gates"][0]["passed"]


@pytest.mark.parametrize("figures", [{"suites": [], "rows": [[3, "contains"]]}, {"suites": ["a"], "rows": [["x", 1]]}])
def test_a_table_that_is_none_is_no_result(started: Any, figures: dict[str, Any]) -> None:
    started.job_completes("bird-eval", {"figures": figures}, container="evaluate")
    started.reconcile("EvalRun")
    assert succeeded(started)[0] == "Unknown"


@pytest.mark.parametrize(
    ("present", "truncated", "gate"),
    [
        ("rouge_l", ["comparison", "results"], ("Unknown", "ResultsTruncated")),
        ("rouge_l", [], ("False", "GateFailed")),
        ("contains", ["comparison", "results"], ("True", "AllGatesPassed")),
    ],
)
def test_a_gate_whose_figure_did_not_fit_is_unknown(
    started: Any, present: str, truncated: list[str], gate: tuple[str, str]
) -> None:
    result = [{**FIGURE, "metric": present, "value": "0.95"}]
    started.job_completes("bird-eval", {**figures("1"), "results": result, "truncated": truncated})
    outcome = started.reconcile("EvalRun")
    assert started.condition("EvalRun", "GatePassed")[:2] == gate
    assert outcome.status.get("truncated", []) == truncated
    if gate[0] == "Unknown":
        assert succeeded(started) == ("False", "ResultsTruncated")
        assert "pvc://swiftlet-artifacts/report.html" in started.condition("EvalRun", "GatePassed")[2]
