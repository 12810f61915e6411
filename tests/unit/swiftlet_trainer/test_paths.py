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
