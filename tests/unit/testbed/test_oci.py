import json
import tarfile
from pathlib import Path

import pytest
from testbed.errors import TestBedError
from testbed.oci import blob_path, contents, digest_of, reference, write_program_image


@pytest.mark.parametrize(
    ("name", "complete"),
    [
        ("localhost/base:1", "localhost/base:1"),
        ("registry.example.com/a/b", "registry.example.com/a/b:latest"),
        ("registry:5000/a", "registry:5000/a:latest"),
        ("localhost/a/b@sha256:00", "localhost/a/b@sha256:00"),
    ],
)
def test_a_name_is_completed_by_its_tag(name: str, complete: str) -> None:
    assert reference(name) == complete


@pytest.mark.parametrize("name", ["swiftlet/operator:0.1.0", "debian", "a/b@sha256:00"])
def test_a_name_without_a_host_is_refused_with_the_remedy(name: str) -> None:
    with pytest.raises(TestBedError, match=f"call it localhost/{name}"):
        reference(name)


def test_every_digest_of_an_archive_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "pause").write_bytes(b"program")
    archive = write_program_image(tmp_path / "pause.tar", "localhost/pause:1", tmp_path / "pause")
    with tarfile.open(archive) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    manifest = json.loads(files[blob_path(contents(archive)["localhost/pause:1"])])
    for each in (manifest["config"], *manifest["layers"]):
        blob = files[blob_path(each["digest"])]
        assert (digest_of(blob), len(blob)) == (each["digest"], each["size"])
    config = json.loads(files[blob_path(manifest["config"]["digest"])])
    assert config["rootfs"]["diff_ids"] == [each["digest"] for each in manifest["layers"]]
    assert config["config"]["Entrypoint"] == ["/pause"]


def test_the_same_program_is_the_same_image(tmp_path: Path) -> None:
    (tmp_path / "pause").write_bytes(b"program")
    one, two = (write_program_image(tmp_path / name, "a:1", tmp_path / "pause") for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_another_file_is_refused_with_how_to_write_one(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(TestBedError, match=r"text is no OCI archive.*buildah push"):
        contents(tmp_path / "text")
