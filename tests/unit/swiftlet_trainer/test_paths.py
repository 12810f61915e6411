from pathlib import Path

import pytest
from swiftlet_trainer.paths import in_pod


def test_absolute_paths_are_below_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWIFTLET_ROOT", "/pods/a")
    assert in_pod("/swiftlet/job/job.json") == Path("/pods/a/swiftlet/job/job.json")
    assert in_pod("job.json") == Path("job.json")


@pytest.mark.parametrize("root", [None, "", "/"])
def test_in_a_container_paths_are_what_they_are(monkeypatch: pytest.MonkeyPatch, root: str | None) -> None:
    monkeypatch.delenv("SWIFTLET_ROOT", raising=False)
    if root is not None:
        monkeypatch.setenv("SWIFTLET_ROOT", root)
    assert in_pod("/dev/shm") == Path("/dev/shm")  # noqa: S108


def test_what_a_mount_leads_to_is_shown_and_not_the_mount(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "root/swiftlet").mkdir(parents=True)
    (tmp_path / "root/swiftlet/models").symlink_to(tmp_path / "mirror")
    (tmp_path / "mirror/org").mkdir(parents=True)
    (tmp_path / "mirror/org/name").symlink_to("elsewhere")
    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path / "root"))
    assert in_pod("/swiftlet/models") == tmp_path / "mirror"
    assert in_pod("/swiftlet/models/org/name") == tmp_path / "mirror/org/name"
    assert in_pod("/swiftlet/other") == tmp_path / "root/swiftlet/other"
