"""How the operator is to run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ENVIRONMENT_PREFIX = "SWIFTLET_OPERATOR_"
"""Each option of `swiftlet operator run` has an environment variable: this and the option's name."""


@dataclass(frozen=True)
class Settings:
    """All settings. The defaults are those of the command line."""

    kubeconfig: Path | None = None
    """None: the pod's service account."""
    namespaces: tuple[str, ...] = ()
    """Namespaces to work in; empty means all."""
    leader_election: bool = True
    """Off: this process works at once, and must be the only one."""
    lease_namespace: str | None = None
    """None: the pod's own namespace, or that of the kubeconfig's context."""
    lease_name: str = "swiftlet-operator"
    identity: str = "swiftlet-operator"
    """Who this replica is; unique among the replicas that run at the same time."""
    host: str = "0.0.0.0"  # noqa: S104 - the kubelet, Prometheus and pods call it
    port: int = 8080
    """For progress; 0 takes any free port."""
    metrics_host: str = "0.0.0.0"  # noqa: S104
    metrics_port: int = 8081
    """For metrics and health."""
    advertised_host: str | None = None
    """Address of this replica for the others (its pod's); None: `host`, unless that means every address."""
    progress_url: str | None = None
    """Where pods post their progress; None: they do not."""
    default_profile: Path | None = None
    """File with the ComputeProfile of resources that name none, where there is none called `default`."""
    workers: int = 16
    """Resources that are looked at at the same time."""
    extra_backends: tuple[str, ...] = ()
    """Backends whose kinds are not Kubernetes' own, to be used where they are installed."""
    series_limit: int = 1000
    """Resources with series of their own in the metrics."""
    log_format: Literal["json", "text"] = "text"
    log_level: str = "INFO"

    def address(self, port: int) -> str | None:
        """`http://host:port` of this replica, or None when others cannot reach it."""
        host = self.advertised_host or (None if self.host in ("0.0.0.0", "::", "") else self.host)  # noqa: S104
        if host is None:
            return None
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
