import pytest
from swiftlet.api.v1alpha1 import object_storage
from swiftlet.api.v1alpha1.computeprofile import Storage
from swiftlet.kinds.references.sources import locate_file, locate_model
from swiftlet.storage.mount import Fetched
from swiftlet.storage.s3 import S3

STORAGE = Storage(s3=object_storage.S3(endpoint="https://s3.example", secret_name="keys", most_fetched="1Gi"))


def test_a_model_is_fetched_into_a_volume_of_the_pods_own() -> None:
    found = locate_model("s3://bucket/models/a", "model", STORAGE)
    (mount,) = found.mounts
    assert (found.model.path, mount.path, mount.read_only) == (
        "/swiftlet/sources/model",
        "/swiftlet/sources/model",
        False,
    )
    assert mount.source == {"emptyDir": {"sizeLimit": "1Gi"}}
    assert mount.fetched == Fetched("s3://bucket/models/a", "/swiftlet/sources/model/")


def test_a_file_keeps_its_name_and_ending() -> None:
    found = locate_file("s3://bucket/rows/a.jsonl", 2, Storage())
    (mount,) = found.mounts
    assert (found.path, mount.path) == ("/swiftlet/data/2/a.jsonl", "/swiftlet/data/2")
    assert mount.fetched == Fetched("s3://bucket/rows/a.jsonl", found.path)
    assert mount.source == {"emptyDir": {"sizeLimit": "200Gi"}}


def test_credentials_come_by_reference_and_a_session_token_may_be_absent() -> None:
    env = {entry["name"]: entry for entry in S3().environment(STORAGE)}
    assert env["AWS_ENDPOINT_URL"]["value"] == "https://s3.example" and "AWS_REGION" not in env
    assert {name: entry["valueFrom"]["secretKeyRef"] for name, entry in env.items() if "valueFrom" in entry} == {
        "AWS_ACCESS_KEY_ID": {"name": "keys", "key": "AWS_ACCESS_KEY_ID"},
        "AWS_SECRET_ACCESS_KEY": {"name": "keys", "key": "AWS_SECRET_ACCESS_KEY"},
        "AWS_SESSION_TOKEN": {"name": "keys", "key": "AWS_SESSION_TOKEN", "optional": True},
    }


@pytest.mark.parametrize("storage", [Storage(), Storage(s3=object_storage.S3())])
def test_without_a_secret_the_pods_own_identity_is_used(storage: Storage) -> None:
    assert S3().environment(storage) == []
