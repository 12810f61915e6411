"""What a finished run leaves for the attempt that finds its work done."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.v1alpha1.evalrun import Result
from swiftlet.wire.documents import EvaluateDocument
from swiftlet.wire.messages import EXIT_OK, TerminationMessage
from swiftlet_trainer.__main__ import main
from swiftlet_trainer.artifact.manifest import BaseModelRecord, Manifest, write_manifest
from swiftlet_trainer.outcome import OUTCOME_FILE, finished, write_outcome

ARTIFACT = {"uri": "pvc://artifacts/bird/artifact", "digest": "", "type": "adapter", "steps": 3}


def trained(pod: Any, document: Any) -> TerminationMessage:
    """A run that has ended: its artifact, and what it said of it."""
    folder = pod.root / "swiftlet/artifacts/bird/artifact"
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    base = BaseModelRecord(uri="hf://org/name", digest="sha256:0")
    about = {"name": "default/bird", "data_digest": "", "parameters": {}, "parameters_digest": "", "packages": {}}
    digest = write_manifest(folder, Manifest(type="adapter", base_model=base, seed=1, steps=3, **about))
    dataset = {"read": 2, "used": 2}
    message = TerminationMessage.model_validate({"artifact": {**ARTIFACT, "digest": digest}, "dataset": dataset})
    write_outcome(document, message)
    return message


@pytest.mark.parametrize("rank", [0, 1])
def test_a_finished_run_is_reported_without_training_or_its_inputs(
    pod: Any, rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = {"uri": "gone.jsonl", "path": "/swiftlet/data/gone.jsonl"}
    document = pod.document(gone, model={"uri": "hf://gone/model", "path": "/swiftlet/models/gone"}, nodes=2)
    message = trained(pod, document)
    assert main(["prepare", "--job", pod.job(document)]) == EXIT_OK
    assert pod.termination()["dataset"]["read"] == 2
    node = {"NNODES": "2", "NODE_RANK": str(rank), "MASTER_ADDR": "bird-0.invalid", "MASTER_PORT": "20000"}
    for name, value in node.items():
        monkeypatch.setenv(f"PET_{name}", value)
    assert main(["train", "--job", pod.job(document)]) == EXIT_OK
    said = TerminationMessage.model_validate(pod.termination())
    assert said == (message if rank == 0 else TerminationMessage())


@pytest.mark.parametrize(
    "changes", [{"uid": "2"}, {"training": {"seed": 7}}, {"tuner": {"full": {}}}, {"model": {"uri": "hf://org/other"}}]
)
def test_the_outcome_of_another_run_is_not_taken(pod: Any, changes: dict[str, Any]) -> None:
    document = pod.document(pod.data("a.jsonl", []))
    trained(pod, document)
    assert finished(document) is not None
    assert finished(pod.document(pod.data("a.jsonl", []), **changes)) is None


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "manifest.json", "planted.jinja"])
def test_an_artifact_that_is_not_whole_is_not_taken(pod: Any, name: str) -> None:
    document = pod.document(pod.data("a.jsonl", []))
    trained(pod, document)
    (pod.root / "swiftlet/artifacts/bird/artifact" / name).write_text("other")
    assert finished(document) is None


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"uid": "1"}', '{"uid": 1, "inputs": 2, "message": 3}'])
def test_what_is_no_outcome_is_none(pod: Any, content: str | None) -> None:
    document = pod.document(pod.data("a.jsonl", []))
    folder = pod.root / "swiftlet/artifacts/bird"
    folder.mkdir(parents=True)
    if content is not None:
        (folder / OUTCOME_FILE).write_text(content)
    assert finished(document) is None


def test_an_evaluation_that_is_done_is_reported_for_the_same_artifact_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))
    content = {
        **{"name": "bird", "namespace": "default", "uid": "1", "batchSize": 8, "seed": 42, "useGpu": False},
        "target": {"model": {"uri": "hf://org/gone"}, "adapterPath": "/swiftlet/gone", "digest": "sha256:a"},
        "suites": [{"name": "who", "generation": {"uri": "gone.jsonl"}, "path": "/swiftlet/gone.jsonl"}],
        **{"outputDir": "/swiftlet/output", "reportUri": "pvc://artifacts/eval/report.html"},
    }
    (tmp_path / "swiftlet/output").mkdir(parents=True)
    result = Result(suite="who", metric="contains", value="0.5", n=2)
    write_outcome(EvaluateDocument.model_validate(content), TerminationMessage(results=[result]))
    job = tmp_path / "job.json"
    job.write_text(json.dumps({"kind": "EvaluateDocument", **content}))
    assert main(["evaluate", "--job", "/job.json"]) == EXIT_OK
    said = TerminationMessage.model_validate_json((tmp_path / "dev/termination-log").read_bytes())
    assert said.results == [result]
    another = {**content, "target": {**content["target"], "digest": "sha256:b"}}  # type: ignore[dict-item]
    assert finished(EvaluateDocument.model_validate(another)) is None
