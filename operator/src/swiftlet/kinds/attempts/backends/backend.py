"""What is asked of a backend: to make an attempt as a workload of some kind, and to tell how that does.

The normal form is a Job, as Kubernetes tells it: restarts, budgets and the first cause of a death read that and pods,
and know no backend.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from swiftlet.api.v1alpha1.backends import BackendFacts
from swiftlet.kinds.attempts.role import Manifest, Role
from swiftlet.kinds.frame.asked import Wish
from swiftlet.kinds.frame.outcome import Patch


class Backend(Protocol):
    """One kind of workload that an attempt can be made as. It never restarts anything by itself: the next attempt is
    another workload."""

    @property
    def facts(self) -> BackendFacts:
        """Its name, and where the API server keeps such workloads."""

    def render(self, metadata: Manifest, roles: Sequence[Role], wish: Wish) -> Manifest:
        """The workload of an attempt. wish: `suspend` and `activeDeadlineSeconds`, which may be asked anew."""

    def hostname(self, workload: str, role: str, index: int) -> str:
        """Hostname of the pod `index` of a role, once the workload of this name has made it."""

    def jobs(self, workload: Manifest, children: Iterable[Manifest]) -> list[Manifest]:
        """The Jobs that make the attempt's pods, as far as they are there."""

    def told(self, workload: Manifest, jobs: Sequence[Manifest]) -> Manifest:
        """The workload with spec and status as those of one Job with all its pods; kind and metadata are its own."""

    def made(self, workload: Manifest, pod: str) -> bool:
        """Whether a pod of this name was made for the workload."""

    def asked(self, workload: Manifest, jobs: Sequence[Manifest], wish: Wish) -> list[Patch]:
        """The patches that ask for `wish` what was last asked for otherwise."""
