from typing import Any

import pytest
from swiftlet.api.v1alpha1.computeprofile import Storage
from swiftlet.kinds.frame.capabilities import Capabilities
from swiftlet.kinds.references.sources import locate_file, locate_model, source_verdict

MIRRORED = Storage(models_claim="mirror")


@pytest.mark.parametrize(
    ("uri", "storage", "path", "volumes"),
    [
        ("hf://a/b", MIRRORED, "/swiftlet/models/a/b", ["models"]),
        ("hf://a/b@v1", MIRRORED, "/swiftlet/models/a/b@v1", ["models"]),
        ("hf://a/b@v1", Storage(), None, []),
        ("pvc://swiftlet-artifacts/x/y", Storage(), "/swiftlet/artifacts/x/y", ["artifacts"]),
        ("pvc://other/x/y", Storage(), "/swiftlet/sources/slot/x/y", ["slot"]),
        ("file:///models/x", Storage(), "/swiftlet/sources/slot", ["slot"]),
    ],
)
def test_models(uri: str, storage: Storage, path: str | None, volumes: list[str]) -> None:
    found = locate_model(uri, "slot", storage)
    assert found.model.uri == uri
    assert found.model.path == path
    assert [mount.name for mount in found.mounts] == volumes
    assert all(mount.read_only for mount in found.mounts)
    assert (found.model.repo_id, found.model.revision) == ((None, None) if path else ("a/b", "v1"))


@pytest.mark.parametrize(
    ("uri", "path", "mounted_at"),
    [
        ("configmap://rows/a.jsonl", "/swiftlet/data/2/a.jsonl", "/swiftlet/data/2"),
        ("pvc://rows/x/a.parquet", "/swiftlet/data/2/x/a.parquet", "/swiftlet/data/2"),
        ("hf://a/b/x/a.csv", "/swiftlet/models/a/b/x/a.csv", "/swiftlet/models"),
        ("file:///rows/a.json", "/swiftlet/data/2/a.json", "/swiftlet/data/2/a.json"),
        ("/rows/a.json", "/swiftlet/data/2/a.json", "/swiftlet/data/2/a.json"),
    ],
)
def test_files_keep_their_ending(uri: str, path: str, mounted_at: str) -> None:
    found = locate_file(uri, 2, MIRRORED)
    assert found.path == path
    assert [mount.path for mount in found.mounts] == [mounted_at]


def test_only_the_named_key_is_mounted() -> None:
    (mount,) = locate_file("configmap://rows/a.jsonl", 0, MIRRORED).mounts
    assert mount.source == {"configMap": {"name": "rows", "items": [{"key": "a.jsonl", "path": "a.jsonl"}]}}


def test_hub_data_without_a_mirror() -> None:
    with pytest.raises(ValueError, match="needs a mirror"):
        locate_file("hf://a/b/x.csv", 0, Storage())


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_scheme_that_a_newer_release_has_stored_is_refused(on_disk: bool, world: Any) -> None:
    verdict = source_verdict("spec.model.uri", "tape://a/b", "default", Storage(), world, Capabilities(), on_disk)
    assert verdict and (verdict.reason, verdict.waits) == ("InvalidUri", False)
    assert verdict.message == "spec.model.uri tape://a/b: tape is none of configmap, pvc, hf, s3, oci, file"
