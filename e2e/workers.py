"""Which of two workers has the cluster that most tests share, and which the rest."""

from xdist.scheduler import LoadScopeScheduling

APART = ("e2e/bed/", "e2e/test_images.py", "e2e/test_vllm_image.py")
"""Tests that need no cluster, or have one of their own."""


class ClusterBesideTheRest(LoadScopeScheduling):
    """One worker has all tests of the shared cluster, in the order of their files, the other those of APART."""

    def _split_scope(self, nodeid: str) -> str:
        return "apart" if nodeid.startswith(APART) else "cluster"
