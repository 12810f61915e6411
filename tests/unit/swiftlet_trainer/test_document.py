import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet.wire.documents import ServeDocument, TrainDocument
from swiftlet_trainer.document import load_document
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.paths import in_pod


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
    assert "of another release than this trainer, swiftlet 0.1.0: set images of the ComputeProfile" in text


def test_what_a_later_release_added_is_left_out_and_named(pod: Any, capsys: pytest.CaptureFixture[str]) -> None:
    document = pod.document({"uri": "a.jsonl", "path": "/a.jsonl"})
    later = {**document.document(), "schemaVersion": "1.7", "topology": {"racks": 2}}
    later["training"] = {**later["training"], "sparkle": True}
    later["datasets"] = [{**later["datasets"][0], "shuffle": "late"}]
    path = pod.job(document)
    in_pod(path).write_text(json.dumps(later))
    assert load_document(path, TrainDocument) == document.model_copy(update={"schema_version": "1.7"})
    said = capsys.readouterr().err
    assert all(name in said for name in ("topology", "training.sparkle", "datasets[0].shuffle", "goes without"))


@pytest.mark.parametrize(
    ("version", "words"), [("2.0", "is of a later release"), ("new", "is not major.minor"), (3, "is not major.minor")]
)
def test_a_document_beyond_what_can_be_known(pod: Any, version: Any, words: str) -> None:
    document = pod.document({"uri": "a.jsonl", "path": "/a.jsonl"})
    path = pod.job(document)
    in_pod(path).write_text(json.dumps({**document.document(), "schemaVersion": version}))
    with pytest.raises(InvalidInput, match=f"schemaVersion: .*{words}.*set images of the ComputeProfile"):
        load_document(path, TrainDocument)
