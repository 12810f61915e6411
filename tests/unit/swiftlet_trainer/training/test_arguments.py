from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.training.arguments import training_arguments


def test_transformers_does_not_report_beside_us(pod: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its callback takes every end of training for the end of the run; our pods have its address for other scripts."""
    monkeypatch.setenv("KUBEFLOW_TRAINER_SERVER_URL", "http://operator/progress/uid")
    monkeypatch.setenv("DISABLE_KUBEFLOW_INTEGRATION", "FALSE")
    document = pod.document({"uri": "a.jsonl", "path": "/a.jsonl"})
    arguments = training_arguments(document, 3, False, 1, None, tmp_path, 0)
    assert "kubeflow" not in arguments.report_to
