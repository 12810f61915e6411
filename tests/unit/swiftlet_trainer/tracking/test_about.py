"""Who a run is to trackers."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.v1alpha1.evalrun import Result
from swiftlet.wire.documents import EvaluateDocument
from swiftlet_trainer.tracking.about import about, asked_of, history_of
from swiftlet_trainer.tracking.evaluated import write_figures
from swiftlet_trainer.tracking.tracked_run import point_of

RELEASE = Path(__file__).parents[3] / "contract/releases/swiftlet_0_1_0/documents"


@pytest.fixture
def evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EvaluateDocument:
    """Of a FineTuneJob's artifact, with a tracker."""
    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))
    (source, *_) = sorted(RELEASE.glob("evalrun*.json"))
    said: dict[str, Any] = json.loads(source.read_text())
    said["target"]["digest"] = "sha256:a"
    return EvaluateDocument.model_validate(said | {"reportTo": {"tensorboard": {}}, "fineTuneJob": "bird"})


def test_an_evaluation_is_a_run_of_its_own_that_names_what_it_measured(evaluation: EvaluateDocument) -> None:
    run, asked = about(evaluation), asked_of(evaluation)
    assert asked and asked.names == ("tensorboard",)
    assert run.name == f"{evaluation.namespace}/{evaluation.name}"
    expected = {"swiftlet.kind": "EvalRun", "swiftlet.fineTuneJob": "bird", "swiftlet.targetDigest": "sha256:a"}
    assert expected.items() <= run.tags.items()
    assert run.settings["seed"] == str(evaluation.seed)
    assert any(name.startswith(f"suites.{evaluation.suites[0].name}.") for name in run.settings)
    assert not [name for name in run.settings if "reportTo" in name]


def test_what_it_measured_is_one_step_of_both_subjects(evaluation: EvaluateDocument) -> None:
    history = history_of(evaluation)
    history.parent.mkdir(parents=True)
    figures: dict[Any, str] = {"target": "0.75", "baseline": "0.5"}
    results = [Result(suite="who", metric="contains", subject=who, value=value, n=4) for who, value in figures.items()]
    write_figures(history.parent, results)
    (line,) = history.read_text().splitlines()
    point = point_of(json.loads(line))
    assert (point.step, point.figures) == (1, {"eval/who/contains": 0.75, "eval/who/contains/baseline": 0.5})
