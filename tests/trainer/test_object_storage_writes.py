"""Artifacts and checkpoints to a real S3 server: whole, compared, and told when they cannot be written."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store
from swiftlet.api.v1alpha1.uris import parse_uri
from swiftlet_trainer.artifact.manifest import MANIFEST_FILE, BaseModelRecord, Manifest, read_and_verify, write_manifest
from swiftlet_trainer.checkpoints.copies import CheckpointCopies
from swiftlet_trainer.checkpoints.store import CheckpointStore
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.storage import bucket, transfer
from swiftlet_trainer.storage.s3 import fetch_folder
from swiftlet_trainer.storage.transfer import TransferFailed
from swiftlet_trainer.storage.writing import folder_of, probe, write_artifact
from testbed.beds import Bed
from testbed.errors import MissingProgramError
from testbed.object_storage import ACCESS_KEY, SECRET_KEY, ObjectStorage
from testbed.relay import BUSY, Fault, Relay

PART = 5 << 20
"""The smallest that S3 takes of a file in parts."""
WEIGHTS = os.urandom(2 * PART + 1000)
FULL = BUSY.replace(b"503 Slow Down", b"507 Insufficient Storage").replace(b"SlowDown", b"DiskFull")
PLACE = "s3://bucket/trained/bird/artifact"


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStorage]:
    bed = Bed.create()
    try:
        made = ObjectStorage(bed)
    except MissingProgramError as error:
        bed.end()
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))
    made.bucket("bucket")
    yield made
    bed.end()


@pytest.fixture(scope="module")
def relay(server: ObjectStorage) -> Iterator[Relay]:
    with Relay(server.port) as wire:
        yield wire


@pytest.fixture(autouse=True)
def environment(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    relay.set(None)
    monkeypatch.setenv("AWS_ENDPOINT_URL", relay.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setattr(transfer, "PART", PART)
    monkeypatch.setattr(bucket, "RETRY_SECONDS", 2)
    monkeypatch.setattr(bucket, "READ_SECONDS", 1)


@pytest.fixture
def store(server: ObjectStorage) -> Iterator[S3Store]:
    """The bucket past the relay, empty again afterwards."""
    made = S3Store(
        "bucket",
        endpoint=server.url,
        access_key_id=ACCESS_KEY,
        secret_access_key=SECRET_KEY,
        client_options={"allow_http": True},
    )
    yield made
    for name in keys(made):
        obstore.delete(made, name)


def keys(store: S3Store) -> set[str]:
    return {item["path"] for page in obstore.list(store) for item in page}


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    folder = tmp_path / "artifact"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "config.json").write_bytes(b"{}")
    base = BaseModelRecord(uri="hf://org/name", digest="sha256:0")
    about = {"name": "a/b", "dataDigest": "sha256:1", "parametersDigest": "sha256:2", "seed": 1, "steps": 1}
    fields = {"type": "model", "baseModel": base, "parameters": {}, "packages": {}, **about}
    write_manifest(folder, Manifest.model_validate(fields))
    return folder


def test_an_artifact_is_written_in_parts_and_read_as_it_was(artifact: Path, store: S3Store, tmp_path: Path) -> None:
    probe(PLACE, "default/bird")
    assert write_artifact(artifact, PLACE) == PLACE
    head = obstore.head(store, "trained/bird/artifact/model.safetensors")
    assert head["e_tag"] and head["e_tag"].endswith('-3"'), "in three parts"
    fetch_folder(parse_uri(PLACE), tmp_path / "read", 1 << 30)
    digest = hashlib.sha256((artifact / MANIFEST_FILE).read_bytes()).hexdigest()
    assert read_and_verify(tmp_path / "read", f"sha256:{digest}").name == "a/b", "nothing else is read of the folder"


@pytest.mark.parametrize(
    "fault", [Fault(2, answer=BUSY), Fault(1, cut_after=0), Fault(1, hangs=True)], ids=["busy", "cut", "hangs"]
)
def test_what_passes_is_tried_again(artifact: Path, store: S3Store, relay: Relay, fault: Fault, tmp_path: Path) -> None:
    relay.set(fault)
    write_artifact(artifact, PLACE)
    assert fault.times == 0, "it struck"
    fetch_folder(parse_uri(PLACE), tmp_path / "read", 1 << 30)
    read_and_verify(tmp_path / "read")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(999, answer=BUSY), "SlowDown"),
        (Fault(999, answer=FULL), "507 DiskFull"),
        (Fault(999, hangs=True), "Error perf"),
    ],
    ids=["busy", "full", "hangs"],
)
def test_what_does_not_pass_leaves_no_manifest(
    artifact: Path, store: S3Store, relay: Relay, fault: Fault, said: str
) -> None:
    relay.set(fault)
    with pytest.raises(TransferFailed, match=said):
        write_artifact(artifact, PLACE)
    assert not any(name.endswith(MANIFEST_FILE) for name in keys(store))


def test_an_upload_that_was_cut_short_goes_on(
    artifact: Path, store: S3Store, monkeypatch: pytest.MonkeyPatch, relay: Relay
) -> None:
    folder, real = folder_of(PLACE), obstore.put
    folder.upload("model.safetensors", artifact / "model.safetensors", hashlib.sha256(WEIGHTS).hexdigest())
    written: list[str] = []

    def put(to: S3Store, path: str, *given: object, **named: object) -> object:
        written.append(path.rpartition("/")[2])
        return real(to, path, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(obstore, "put", put)
    write_artifact(artifact, PLACE)
    assert written == ["config.json", MANIFEST_FILE]


def test_refused_and_then_allowed_again(artifact: Path, store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "rotated")
    for write in (lambda: write_artifact(artifact, PLACE), lambda: probe(PLACE, "default/bird")):
        with pytest.raises(InvalidInput, match=r"refuses it \(403 SignatureDoesNotMatch.*s3:PutObject"):
            write()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    write_artifact(artifact, PLACE)
    assert f"trained/bird/artifact/{MANIFEST_FILE}" in keys(store)


def test_a_bucket_that_is_not_there_is_told_before_anything_runs() -> None:
    with pytest.raises(InvalidInput, match=r"bucket no-bucket of http.*make the bucket"):
        probe("s3://no-bucket/trained", "default/bird")


def test_checkpoints_go_there_and_come_back(store: S3Store, tmp_path: Path) -> None:
    here, there = (CheckpointStore(tmp_path / name, keep=2) for name in ("here", "there"))
    target = folder_of("s3://bucket/runs")
    for step in (10, 20):
        (here.begin(step, 1) / "model.safetensors").write_bytes(WEIGHTS + b"%d" % step)
        here.commit(step, world_size=1)
        CheckpointCopies(here, target, 1).copy(step)
    assert keys(store) == {"runs/step-00000020/model.safetensors", "runs/step-00000020/complete.json"}
    assert CheckpointCopies(there, target, 1).restore() == (20, [])
    assert there.newest() == (20, [])
