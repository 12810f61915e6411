"""An artifact into a folder of object storage."""

from pathlib import Path

import pytest
from swiftlet_trainer.artifact.manifest import MANIFEST_FILE, BaseModelRecord, Manifest, read_and_verify, write_manifest
from swiftlet_trainer.storage.transfer import TransferFailed
from swiftlet_trainer.storage.upload import upload_artifact
from testbed.folders import DiskFolder


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    return made(tmp_path / "artifact")


def made(folder: Path) -> Path:
    """An artifact of two files."""
    (folder / "part").mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    (folder / "part/config.json").write_bytes(b"{}")
    base = BaseModelRecord(uri="hf://org/name", digest="sha256:0")
    about = Manifest(
        type="adapter",
        name="default/bird",
        base_model=base,
        data_digest="sha256:1",
        parameters={},
        parameters_digest="sha256:2",
        packages={},
        seed=1,
        steps=3,
    )
    write_manifest(folder, about)
    return folder


def test_the_manifest_goes_last_and_what_is_there_does_not_go_again(artifact: Path, tmp_path: Path) -> None:
    target = DiskFolder(tmp_path / "bucket")
    target.upload("part/config.json", artifact / "part/config.json", "")
    upload_artifact(artifact, target)
    assert target.uploads == ["part/config.json", "adapter_model.safetensors", MANIFEST_FILE]
    assert read_and_verify(target.root).name == "default/bird"
    upload_artifact(artifact, target)
    assert len(target.uploads) == 3


def test_other_bytes_than_were_written_leave_no_manifest_and_are_written_again(artifact: Path, tmp_path: Path) -> None:
    class Forgetful(DiskFolder):
        def sha256(self, name: str) -> str:
            return "other" if name == "part/config.json" else super().sha256(name)

    target = Forgetful(tmp_path / "bucket")
    with pytest.raises(TransferFailed, match=r"of part/config\.json; they were removed"):
        upload_artifact(artifact, target)
    assert target.names() == {"adapter_model.safetensors"}
    upload_artifact(artifact, DiskFolder(target.root))
    assert read_and_verify(target.root).name == "default/bird"
