"""Which worker takes which file: the first those that compute, the others those that wait for processes; beside
programs of others (`make e2e-ecosystem`) the first those beside Argo CD, which take as long as the rest."""

from typing import Any

from xdist.scheduler import LoadFileScheduling

COMPUTING = ("tests/chain/", "tests/serving/", "tests/trainer/", "tests/unit/swiftlet_trainer/")
"""Tests below these folders keep all cores busy. Two of them at a time take as long as one after the other, and two
that wait leave the cores idle."""

ARGO_CD = "tests/integration/operator/argocd/"
ONE_CLUSTER = "e2e/"
"""Files below it share nodes that take minutes to make."""

LONGEST = "tests/unit/swiftlet_trainer/training/test_compilation.py"
"""Minutes in one file, which the other workers would wait for if it came among the last."""


class ComputingBesideWaiting(LoadFileScheduling):
    """The first worker takes files that compute, or are beside Argo CD, as long as there are any, the others those that
    wait; then what is left. Files keep their order, but for the longest."""

    def _split_scope(self, nodeid: str) -> str:
        return ONE_CLUSTER if nodeid.startswith(ONE_CLUSTER) else str(super()._split_scope(nodeid))

    def _assign_work_unit(self, node: Any) -> None:
        computes = node.gateway.id == "gw0"
        if LONGEST in self.workqueue:
            self.workqueue.move_to_end(LONGEST, last=False)
        of_its_kind = (file for file in self.workqueue if file.startswith((*COMPUTING, ARGO_CD)) == computes)
        self.workqueue.move_to_end(next(of_its_kind, next(iter(self.workqueue))), last=False)
        super()._assign_work_unit(node)
