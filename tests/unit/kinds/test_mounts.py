from swiftlet.kinds.mounts import artifacts, claim, distinct


def test_a_writable_mount_wins_over_a_read_only_one() -> None:
    for mounts in ([artifacts("a", read_only=True), artifacts("a")], [artifacts("a"), artifacts("a", read_only=True)]):
        (found,) = distinct(mounts)
        assert found.volume_mount() == {"name": "artifacts", "mountPath": "/swiftlet/artifacts"}


def test_claims_are_read_only_unless_said_otherwise() -> None:
    mount = claim("x", "rows", "/x")
    assert mount.volume() == {"name": "x", "persistentVolumeClaim": {"claimName": "rows"}}
    assert mount.volume_mount() == {"name": "x", "mountPath": "/x", "readOnly": True}
