"""What a model has no head for is not asked of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet.wire.documents import ResolvedModel
from swiftlet_trainer.evaluate.subjects import Subject, _suite_problems
from swiftlet_trainer.models.scores import RELEVANCE, REWARD, ScoreHead

CLASSES = ScoreHead(("no", "yes"), "single_label_classification")


@pytest.mark.parametrize(
    ("head", "block", "problem"),
    [
        (None, "preference", None),
        (None, "classification", "it is no classifier, and suite asked asks for classes"),
        (REWARD, "preference", None),
        (REWARD, "classification", "its scores are figures (reward)"),
        (REWARD, "perplexity", "it scores texts and says nothing, which suite asked is about"),
        (CLASSES, "classification", None),
        (RELEVANCE, "retrieval", None),
        (None, "retrieval", None),
        (CLASSES, "retrieval", "it has 2 scores of a text, and suite asked compares one"),
        (REWARD, "regression", None),
        (CLASSES, "regression", "its scores are of classes, and suite asked asks for figures"),
        (None, "regression", "it gives texts no figures, and suite asked asks for figures"),
        (CLASSES, "generation", "it scores texts and says nothing"),
        (CLASSES, "preference", "it has 2 scores of a text, and suite asked compares one; evaluate a reward model"),
    ],
)
def test_a_suite_is_asked_of_models_that_can_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suite: Any, head: ScoreHead | None, block: str, problem: str | None
) -> None:
    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps({"model_type": "llama"}))
    subject = Subject("target", ResolvedModel(uri="hf://org/name", path="/model"), None, head)
    asked = suite(**{block: {}}).model_copy(update={"name": "asked"})
    found = list(_suite_problems(subject, [asked]))
    assert len(found) == (problem is not None)
    assert all(str(problem) in one for one in found)
