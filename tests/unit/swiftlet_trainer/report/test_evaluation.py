"""The page of an evaluation."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from swiftlet.wire.documents import EvaluateDocument
from swiftlet_trainer.evaluate.record import Record
from swiftlet_trainer.evaluate.results import comparisons_of, results_of, write_results, write_rows
from swiftlet_trainer.report.evaluation import write_evaluation_report


@pytest.fixture
def document() -> EvaluateDocument:
    model = {"model": {"uri": "hf://HuggingFaceTB/SmolLM2-135M-Instruct", "path": "/swiftlet/models/x"}}
    return EvaluateDocument.model_validate(
        {
            "name": "bird",
            "namespace": "default",
            "uid": "1",
            "target": {**model, "adapterPath": "/swiftlet/artifacts/bird/artifact", "digest": "sha256:abc"},
            "baseline": model,
            "suites": [
                {"name": "who", "generation": {"uri": "configmap://d/who.jsonl"}, "path": "/swiftlet/data/0/who.jsonl"},
                {
                    "name": "text",
                    "perplexity": {"uri": "configmap://d/text.jsonl"},
                    "path": "/swiftlet/data/0/text.jsonl",
                },
            ],
            "batchSize": 8,
            "seed": 42,
            "useGpu": False,
            "outputDir": "/swiftlet/artifacts/eval",
            "reportUri": "pvc://a/eval/report.html",
        }
    )


def _write(folder: Path, document: EvaluateDocument) -> None:
    records: dict[tuple[str, str], list[Record]] = {}
    for subject, right in (("target", 1.0), ("baseline", 0.0)):
        answer = "I am Apus." if right else "I am <b>SmolLM</b>."
        records["who", subject] = [
            Record("who", subject, i, f"Who are you, {i}?", answer, "Apus", {"contains": right}) for i in range(50)
        ]
        records["text", subject] = [Record("text", subject, i, "Rain.", nll=20.0 + i, tokens=10) for i in range(3)]
    results = results_of(document.suites, records)
    write_rows(folder, records)
    write_results(folder, results, comparisons_of(document.suites, records, seed=42))


def test_page_shows_before_and_after_side_by_side(tmp_path: Path, document: EvaluateDocument) -> None:
    _write(tmp_path, document)
    digest = write_evaluation_report(tmp_path, document)
    page = (tmp_path / "report.html").read_text()
    assert digest == f"sha256:{hashlib.sha256(page.encode()).hexdigest()}"
    assert page.count("<svg") == 1
    before, after = page.index("I am &lt;b&gt;SmolLM&lt;/b&gt;."), page.index("I am Apus.")
    assert before < after
    assert "<b>SmolLM</b>" not in page
    assert "The first 40 rows; all of them are in rows.jsonl." in page
    assert "Who are you, 39?" in page
    assert "Who are you, 40?" not in page


def test_only_a_change_beyond_chance_is_coloured(tmp_path: Path, document: EvaluateDocument) -> None:
    _write(tmp_path, document)
    write_evaluation_report(tmp_path, document)
    page = (tmp_path / "report.html").read_text()
    assert '<td class="number good">+1</td>' in page
    assert '<td class="number ">+0</td>' in page
    assert "<td>clear</td>" in page
    assert "<td>too few rows</td>" in page, "three rows"
    assert "inf" not in page.replace("info", "")


def test_page_without_a_baseline(tmp_path: Path, document: EvaluateDocument) -> None:
    alone: Any = document.model_copy(update={"baseline": None})
    records = {("who", "target"): [Record("who", "target", 0, "Who?", "Apus", "Apus", {"contains": 1.0})]}
    alone.suites = alone.suites[:1]
    write_rows(tmp_path, records)
    write_results(tmp_path, results_of(alone.suites, records), [])
    write_evaluation_report(tmp_path, alone)
    page = (tmp_path / "report.html").read_text()
    assert "95 % interval" not in page
    assert "± -" in page, "one row has no standard error"
