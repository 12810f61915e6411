"""Artifacts to and from a real registry of containers, where it is built: `python -m testbed build registry`."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from swiftlet.api.v1alpha1.uris import parse_uri
from swiftlet_trainer.artifact.manifest import (
    BaseModelRecord,
    FileRecord,
    Manifest,
    manifest_digest,
    read_and_verify,
    write_manifest,
)
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.storage import registry_client, transfer
from swiftlet_trainer.storage.oci import EVALUATION_TYPE, TITLE, fetch_folder, layout
from swiftlet_trainer.storage.transfer import TransferFailed
from swiftlet_trainer.storage.writing import attach, probe, write_artifact
from testbed.artifact_registry import PASSWORD, USER, ArtifactRegistry
from testbed.beds import Bed
from testbed.programs import is_built
from testbed.relay import BUSY, Fault, Relay

PART = 1 << 20
WEIGHTS = os.urandom(3 * PART + 1000)
REFUSED = BUSY.replace(b"503 Slow Down", b"413 Too Large")


@pytest.fixture(scope="module")
def registry() -> Iterator[ArtifactRegistry]:
    if os.environ.get("CI") and not is_built("registry"):
        pytest.skip("no registry: python -m testbed build registry")
    bed = Bed.create()
    yield ArtifactRegistry(bed)
    bed.end()


@pytest.fixture(scope="module")
def relay(registry: ArtifactRegistry) -> Iterator[Relay]:
    with Relay(registry.port) as wire:
        yield wire


@pytest.fixture(autouse=True)
def place(registry: ArtifactRegistry, relay: Relay, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A repository of the test's own, past the relay."""
    relay.set(None)
    host = relay.url.removeprefix("http://")
    monkeypatch.setenv("SWIFTLET_REGISTRY_CONFIG", registry.login(host=host))
    monkeypatch.setenv("SWIFTLET_REGISTRY_PLAIN_HTTP", "true")
    monkeypatch.setattr(transfer, "PART", PART)
    monkeypatch.setattr(registry_client, "READ_SECONDS", 0.5)
    monkeypatch.setattr(registry_client, "PAUSES", (0, 0, 0.1))
    return f"oci://{host}/team/{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:12]}:v1"


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    folder = tmp_path / "artifact"
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(WEIGHTS)
    (folder / "1_Pooling/config.json").write_bytes(b"{}")
    base = BaseModelRecord(uri="hf://org/name", digest="sha256:0")
    about = {"name": "a/b", "dataDigest": "sha256:1", "parametersDigest": "sha256:2", "seed": 1, "steps": 1}
    fields = {"type": "model", "baseModel": base, "parameters": {}, "packages": {}, **about}
    write_manifest(folder, Manifest.model_validate(fields))
    return folder


def read(text: str, folder: Path, most: int = 1 << 30) -> Manifest:
    fetch_folder(parse_uri(text), folder, most)
    return read_and_verify(folder)


def test_an_artifact_is_known_by_its_digest_and_read_by_that_or_its_tag(
    artifact: Path, place: str, registry: ArtifactRegistry, tmp_path: Path
) -> None:
    probe(place, "default/bird")
    written = write_artifact(artifact, place)
    assert written.startswith(place.removesuffix(":v1") + "@sha256:")
    for number, text in enumerate((written, place)):
        assert read(text, tmp_path / str(number)).name == "a/b"
    assert write_artifact(artifact, place) == written, "the same files are the same artifact"
    uri = parse_uri(place)
    url = f"http://{registry.host}/v2/{uri.path}/manifests/v1"
    seen = httpx.get(url, auth=(USER, PASSWORD), headers={"Accept": registry_client.MANIFEST}).json()
    assert seen["artifactType"] == "application/vnd.swiftlet.artifact.v1"
    assert {layer["annotations"][TITLE] for layer in seen["layers"]} == {
        "manifest.json",
        "model.safetensors",
        "1_Pooling/config.json",
    }


@pytest.mark.parametrize(
    "fault", [Fault(2, answer=BUSY), Fault(1, cut_after=0), Fault(1, hangs=True)], ids=["busy", "cut", "hangs"]
)
def test_what_passes_is_tried_again(artifact: Path, place: str, relay: Relay, fault: Fault, tmp_path: Path) -> None:
    relay.set(fault)
    written = write_artifact(artifact, place)
    assert fault.times == 0, "it struck"
    assert read(written, tmp_path / "read").name == "a/b"


def test_a_download_that_is_cut_goes_on(artifact: Path, place: str, relay: Relay, tmp_path: Path) -> None:
    written = write_artifact(artifact, place)
    cut = Fault(1, cut_after=2 * PART)
    repository = registry_client.Repository(parse_uri(written))
    relay.set(cut)
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    repository.fetch_blob(f"sha256:{digest}", len(WEIGHTS), tmp_path / "blob")
    assert cut.times == 0 and (tmp_path / "blob").read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("fault", "said"), [(Fault(999, answer=BUSY), "503"), (Fault(999, hangs=True), "timed out")], ids=["busy", "hangs"]
)
def test_what_does_not_pass_leaves_no_tag(
    artifact: Path, place: str, relay: Relay, fault: Fault, said: str, tmp_path: Path
) -> None:
    relay.set(fault)
    with pytest.raises(TransferFailed, match=said):
        write_artifact(artifact, place)
    relay.set(None)
    with pytest.raises(InvalidInput, match="404"):
        read(place, tmp_path / "read")


def test_a_registry_that_refuses_the_blob_is_told_in_its_words(artifact: Path, place: str, relay: Relay) -> None:
    relay.set(Fault(999, answer=REFUSED))
    with pytest.raises(InvalidInput, match=r"does not take it \(413"):
        write_artifact(artifact, place)


def test_wrong_credentials_are_told_and_new_ones_taken(
    artifact: Path, place: str, registry: ArtifactRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = parse_uri(place).authority
    monkeypatch.setenv("SWIFTLET_REGISTRY_CONFIG", registry.login("rotated", host))
    for write in (lambda: probe(place, "default/bird"), lambda: write_artifact(artifact, place)):
        with pytest.raises(InvalidInput, match=r"refuses it \(401.*storage\.oci\.secretName") as refused:
            write()
        assert "rotated" not in str(refused.value)
    monkeypatch.setenv("SWIFTLET_REGISTRY_CONFIG", registry.login(host=host))
    assert "@sha256:" in write_artifact(artifact, place)


def test_what_is_too_large_is_not_begun(artifact: Path, place: str, tmp_path: Path) -> None:
    written = write_artifact(artifact, place)
    with pytest.raises(InvalidInput, match=r"are more than 1,000; raise storage\.s3\.mostFetched"):
        read(written, tmp_path / "read", most=1000)
    assert not (tmp_path / "read").exists()


def test_bytes_of_another_digest_are_not_taken(artifact: Path, place: str, tmp_path: Path) -> None:
    repository = registry_client.Repository(parse_uri(write_artifact(artifact, place)))
    digest = f"sha256:{hashlib.sha256(WEIGHTS).hexdigest()}"
    with pytest.raises(TransferFailed, match="other bytes came"):
        repository.fetch_blob(digest, 100, tmp_path / "blob")
    assert not (tmp_path / "blob").exists()


def test_layers_do_not_leave_the_folder(place: str, tmp_path: Path) -> None:
    repository = registry_client.Repository(parse_uri(place))
    repository.put_small(b"{}")
    record = FileRecord(size=2, sha256=hashlib.sha256(b"{}").hexdigest())
    repository.put_manifest("v1", layout({"../../config.json": record}))
    with pytest.raises(InvalidInput, match=r"layer \.\./\.\./config\.json leaves the folder"):
        read(place, tmp_path / "read")
    repository.put_manifest("v1", json.dumps({**json.loads(layout({"a.bin": record})), "layers": []}).encode())
    with pytest.raises(InvalidInput, match="no layer"):
        read(place, tmp_path / "read")


def test_results_are_attached_to_what_was_measured(artifact: Path, place: str, tmp_path: Path) -> None:
    written, found = write_artifact(artifact, place), tmp_path / "results.json"
    found.write_text('{"results": []}')
    for _ in range(2):
        attach([found], written, manifest_digest(artifact), "default/bird")
    repository = registry_client.Repository(parse_uri(written))
    tag = written.partition("@")[2].replace(":", "-")
    (listed,) = json.loads(repository.manifest(tag, registry_client.INDEX))["manifests"]
    assert (listed["artifactType"], listed["annotations"]) == (
        EVALUATION_TYPE,
        {"dev.swiftlet.evalrun": "default/bird"},
    )
    referrer = json.loads(repository.manifest(listed["digest"]))
    assert referrer["subject"]["digest"] == written.partition("@")[2]
    (layer,) = referrer["layers"]
    repository.fetch_blob(layer["digest"], layer["size"], tmp_path / "got")
    assert (tmp_path / "got").read_text() == found.read_text()


def test_results_are_not_attached_to_another_artifact(artifact: Path, place: str) -> None:
    write_artifact(artifact, place)
    with pytest.raises(InvalidInput, match="its tag was moved"):
        attach([], place, "sha256:other", "default/bird")
