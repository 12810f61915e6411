"""Figures as the control plane reads them."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet.wire.documents import EvaluateDocument
from swiftlet_trainer.evaluate.record import Record
from swiftlet_trainer.evaluate.results import comparisons_of, figure, results_of, write_results, write_rows
from swiftlet_trainer.report.evaluation import write_evaluation_report


@pytest.fixture
def records() -> dict[tuple[str, str], list[Record]]:
    target = [Record("who", "target", i, "p", "a", "r", {"contains": float(i != 0)}) for i in range(8)]
    baseline = [Record("who", "baseline", i, "p", "a", "r", {"contains": 0.0}) for i in range(8)]
    return {("who", "target"): target, ("who", "baseline"): baseline}


def test_results_put_the_target_first(suite: Any, records: Any) -> None:
    target, baseline = results_of([suite("who", generation={})], records)
    assert target.document() == {
        "suite": "who", "metric": "contains", "subject": "target", "value": "0.875", "stderr": "0.125", "n": 8,
    }  # fmt: skip
    assert (baseline.subject, baseline.value, baseline.stderr) == ("baseline", "0", "0")


def test_comparison_holds_delta_and_interval(suite: Any, records: Any) -> None:
    (found,) = comparisons_of([suite("who", generation={})], records, seed=1)
    assert (found.target, found.baseline, found.delta) == ("0.875", "0", "0.875")
    assert 0 <= float(found.ci_low) < 0.875 < float(found.ci_high) <= 1


def test_without_a_baseline_nothing_is_compared(suite: Any, records: Any) -> None:
    del records["who", "baseline"]
    assert comparisons_of([suite("who", generation={})], records, seed=1) == []


@pytest.mark.parametrize(
    ("target", "baseline", "figures"),
    [
        ((1e6, 2.0), (2.0, 2.0), ("inf", "7.38906", "inf")),
        ((2.0, 2.0), (1e6, 2.0), ("7.38906", "inf", "-inf")),
        ((1e6, 2.0), (1e6, 2.0), ("inf", "inf", "nan")),
        ((float("nan"), 2.0), (2.0, 2.0), ("nan", "7.38906", "nan")),
        ((float("inf"), 2.0), (2.0, 2.0), ("inf", "7.38906", "inf")),
    ],
)
def test_infinities_are_what_they_are_and_make_a_report(
    suite: Any, tmp_path: Path, target: tuple[float, float], baseline: tuple[float, float], figures: tuple[str, ...]
) -> None:
    one = suite("who", perplexity={})
    records = {
        ("who", name): [Record("who", name, i, "p", nll=nll, tokens=1) for i, nll in enumerate(sums)]
        for name, sums in (("target", target), ("baseline", baseline))
    }
    results, comparison = results_of([one], records), comparisons_of([one], records, seed=1)
    (found,) = comparison
    assert (found.target, found.baseline, found.delta) == figures
    assert all(result.stderr is None for result in results if result.value in ("inf", "nan"))
    write_rows(tmp_path, records)
    write_results(tmp_path, results, comparison)
    for line in (tmp_path / "rows.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)
    document = EvaluateDocument.model_validate(
        {
            "name": "n", "namespace": "ns", "uid": "u", "target": {"model": {"uri": "m"}}, "batchSize": 1, "seed": 1,
            "suites": [one.document()], "useGpu": False, "outputDir": "/o", "reportUri": "pvc://c/p",
        }
    )  # fmt: skip
    write_evaluation_report(tmp_path, document)
    assert f">{float(figures[0]):.3g}<" in (tmp_path / "report.html").read_text()


def test_files_hold_every_row_and_every_figure(suite: Any, records: Any, tmp_path: Path) -> None:
    suites = [suite("who", generation={})]
    results, comparison = results_of(suites, records), comparisons_of(suites, records, seed=1)
    write_rows(tmp_path, records)
    write_results(tmp_path, results, comparison)
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert [(line["subject"], line["index"]) for line in lines] == [
        (s, i) for s in ("target", "baseline") for i in range(8)
    ]
    content = json.loads((tmp_path / "results.json").read_text())
    assert len(content["results"]) == 2
    assert len(content["comparison"]) == 1


@pytest.mark.parametrize(("number", "text"), [(0.75, "0.75"), (34.182412, "34.1824"), (0.0, "0")])
def test_figures_are_six_digits(number: float, text: str) -> None:
    assert figure(number) == text
    assert float(text) == pytest.approx(number, rel=1e-5)
