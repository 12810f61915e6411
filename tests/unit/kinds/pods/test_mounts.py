import pytest
from swiftlet.api.v1alpha1.profile_pods import Scratch
from swiftlet.kinds.pods.mounts import artifacts, distinct, output, scratch, volumes
from swiftlet.storage.mount import claim


def test_one_volume_in_two_places_is_one_volume() -> None:
    mounts = distinct([artifacts("a"), artifacts("a"), output("a", "team/bird")])
    assert [mount.volume_mount() for mount in mounts] == [
        {"name": "artifacts", "mountPath": "/swiftlet/artifacts", "readOnly": True},
        {"name": "artifacts", "mountPath": "/swiftlet/output", "subPath": "team/bird"},
    ]
    assert volumes(mounts) == [{"name": "artifacts", "persistentVolumeClaim": {"claimName": "a"}}]


def test_claims_are_read_only_unless_said_otherwise() -> None:
    mount = claim("x", "rows", "/x")
    assert mount.volume() == {"name": "x", "persistentVolumeClaim": {"claimName": "rows"}}
    assert mount.volume_mount() == {"name": "x", "mountPath": "/x", "readOnly": True}


@pytest.mark.parametrize(
    ("limit", "shared"), [(None, "8Gi"), ("16Gi", "8Gi"), ("1000M", "476Mi"), ("1Mi", "1Mi"), ("3Gi", "1536Mi")]
)
def test_shared_memory_is_at_most_half_of_the_limit(limit: str | None, shared: str) -> None:
    (shm,) = [mount for mount in scratch(Scratch(), limit) if mount.name == "shm"]
    assert (shm.path, shm.source) == ("/dev/shm", {"emptyDir": {"medium": "Memory", "sizeLimit": shared}})  # noqa: S108


@pytest.mark.parametrize(
    ("limit", "wanted", "shared"), [(None, 16384, "16Gi"), ("64Gi", 16384, "16Gi"), ("16Gi", 16384, "8Gi")]
)
def test_shared_memory_is_no_more_than_is_wanted(limit: str | None, wanted: int, shared: str) -> None:
    (shm,) = [mount for mount in scratch(Scratch(), limit, wanted) if mount.name == "shm"]
    assert shm.source["emptyDir"]["sizeLimit"] == shared
    (asked,) = [mount for mount in scratch(Scratch(shared_memory_size="1Gi"), limit, wanted) if mount.name == "shm"]
    assert asked.source["emptyDir"]["sizeLimit"] == "1Gi", "the profile's word is the last"
