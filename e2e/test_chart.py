"""The release checks itself, as `helm test` does for a person who has just installed it."""

from installation import RELEASE, helm
from watching import Cluster


def test_the_release_passes_its_own_test(cluster: Cluster, installed: str) -> None:
    printed = helm(cluster, "test", RELEASE, "--namespace", installed, "--timeout=10m")
    assert "Phase:          Succeeded" in printed
