"""What stands beside the training: when it ends, and what it says."""

from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.v1alpha1.finetunejob_status import Artifact
from swiftlet.wire.messages import TerminationMessage
from swiftlet_trainer import __main__ as trainer
from swiftlet_trainer import accompanying
from swiftlet_trainer.accompanying import AT_WORK
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.locking import hold
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.verbs import upload

TARGET = "s3://bucket/trained/bird/artifact"


@pytest.fixture
def job(pod: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a run whose training has begun and ended."""
    monkeypatch.setattr(accompanying, "LOOK_SECONDS", 0.01)
    hold(in_pod(AT_WORK)).close()
    path: str = pod.job(pod.document({"uri": "a", "path": "/a"}, exportUri=TARGET))
    return path


def done(monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = Artifact(uri="pvc://artifacts/bird/artifact", digest="sha256:1")
    monkeypatch.setattr(upload, "finished", lambda document: TerminationMessage(artifact=artifact))


def test_where_the_artifact_went_is_told(job: str, pod: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    done(monkeypatch)
    written: list[Path] = []
    monkeypatch.setattr(upload, "write_artifact", lambda artifact, uri: written.append(artifact) or uri)
    assert trainer.main(["upload", "--job", job]) == 0
    assert pod.termination()["artifact"]["uri"] == TARGET
    assert written == [in_pod("/swiftlet/artifacts/bird/artifact")]


def test_a_refusal_at_the_end_is_tried_again_with_new_credentials(
    job: str, pod: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(artifact: Path, uri: str) -> str:
        raise InvalidInput(["bucket x refuses it"])

    done(monkeypatch)
    monkeypatch.setattr(upload, "write_artifact", refuse)
    assert trainer.main(["upload", "--job", job]) == 1, "bad input would never be retried"
    failure = pod.termination()["failure"]
    assert failure["reason"] == "NotUploaded"
    assert "bucket x refuses it" in failure["message"] and "pvc://artifacts/bird/artifact" in failure["message"]


def test_of_a_training_that_failed_nothing_is_said(job: str, pod: Any) -> None:
    assert trainer.main(["upload", "--job", job]) == 0
    assert not (pod.root / "dev/termination-log").exists()


def test_a_training_that_never_begins_is_not_waited_for_forever(
    job: str, pod: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_pod(AT_WORK).unlink()
    monkeypatch.setattr(accompanying, "BEGIN_SECONDS", 0.05)
    assert trainer.main(["upload", "--job", job]) == 1
    assert "container train has not begun" in pod.termination()["failure"]["message"]


def test_another_node_of_the_run_writes_nothing(job: str, pod: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    done(monkeypatch)
    rendezvous = {"PET_NNODES": "2", "PET_NODE_RANK": "1", "PET_MASTER_ADDR": "a", "PET_MASTER_PORT": "1"}
    for name, value in rendezvous.items():
        monkeypatch.setenv(name, value)
    assert trainer.main(["upload", "--job", job]) == 0
    assert not (pod.root / "dev/termination-log").exists()
