from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.job import ServeDocument, TrainDocument
from swiftlet_trainer.document import load_document
from swiftlet_trainer.failures import InvalidInput


def test_document_is_read_below_the_pods_root(pod: Any) -> None:
    document = pod.document({"uri": "a.jsonl", "path": "/a.jsonl"})
    assert load_document(pod.job(document), TrainDocument) == document


def test_absent_document(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such job document; name one with --job"):
        load_document(tmp_path / "job.json", TrainDocument)


@pytest.mark.parametrize(("content", "words"), [("{", "not a JSON document"), ("[]", "is a JSON object, this is list")])
def test_no_document_at_all(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "job.json").write_text(content)
    with pytest.raises(InvalidInput, match=words):
        load_document(tmp_path / "job.json", TrainDocument)


def test_document_of_another_verb(pod: Any) -> None:
    job = pod.job(pod.document({"uri": "a.jsonl", "path": "/a.jsonl"}))
    with pytest.raises(InvalidInput, match="kind is 'TrainDocument', this verb reads a ServeDocument"):
        load_document(job, ServeDocument)


def test_every_bad_field_is_told(tmp_path: Path) -> None:
    (tmp_path / "job.json").write_text(
        '{"kind": "TrainDocument", "datasets": [{"uri": "a.jsonl"}], "nodes": "two", "x": 1}'
    )
    with pytest.raises(InvalidInput) as caught:
        load_document(tmp_path / "job.json", TrainDocument)
    text = str(caught.value)
    assert "datasets[0].path: Field required" in text
    assert "nodes: Input should be a valid integer" in text and "got 'two'" in text
    assert "x: Extra inputs are not permitted" in text
