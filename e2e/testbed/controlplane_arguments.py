"""Command lines of the control plane's programs: pure functions of where files are and which ports are free."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SERVICE_CIDR = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"
"""First address of SERVICE_CIDR: the Service `kubernetes`."""
ISSUER = "https://kubernetes.default.svc.cluster.local"
AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
"""
"""One line per finished request: who, verb, resource, response code, what RBAC decided; no bodies."""


@dataclass(frozen=True)
class Settings:
    """What a control plane is to be."""

    address: str = "127.0.0.1"
    """Where the API server listens and is reached."""
    prefix: tuple[str, ...] = ()
    """Runs every program elsewhere, e.g. ("nsenter", "--net=/run/netns/x")."""
    audit: bool = False
    """Whether every request is noted in `audit_log`."""
    durable: bool = False
    """Whether etcd waits for the disk, as it does in production: for measurements. Tests need only survive kill -9."""
    pod_cidr: str | None = None
    """Pod addresses, from which each node gets a /24; None without nodes."""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """More arguments by program; a later one overrides an earlier."""


@dataclass(frozen=True)
class Ports:
    """TCP ports."""

    etcd: int
    etcd_peer: int
    api: int
    controller_manager: int
    scheduler: int


@dataclass(frozen=True)
class Files:
    """Files and folders of a control plane."""

    folder: Path

    @property
    def certificates(self) -> Path:
        """Folder of certificates and keys."""
        return self.folder / "certificates"

    @property
    def ca(self) -> Path:
        """Certificate of the authority."""
        return self.certificates / "ca.crt"

    @property
    def audit_policy(self) -> Path:
        """What the API server notes."""
        return self.folder / "audit-policy.yaml"

    @property
    def audit_log(self) -> Path:
        """Where it notes it, one JSON document a line."""
        return self.folder / "logs" / "audit.jsonl"

    def kubeconfig(self, name: str) -> Path:
        """Kubeconfig of a component or user."""
        return self.folder / "kubeconfigs" / f"{name}.kubeconfig"


def etcd(files: Files, ports: Ports, settings: Settings) -> list[str]:
    """Arguments of etcd: one member, reached over loopback only."""
    client, peer = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.etcd_peer}"
    arguments = {
        "data-dir": files.folder / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "log-level": "warn",
        "quota-backend-bytes": 8 * 2**30,
    }
    return [*_flags(arguments), *([] if settings.durable else ["--unsafe-no-fsync"])]


def kube_apiserver(files: Files, ports: Ports, settings: Settings) -> list[str]:
    """Arguments of the API server: Node and RBAC authorization, the default admission plugins."""
    folder = files.certificates
    arguments = {
        "etcd-servers": f"http://127.0.0.1:{ports.etcd}",
        "bind-address": settings.address,
        "advertise-address": settings.address,
        "secure-port": ports.api,
        "service-cluster-ip-range": SERVICE_CIDR,
        "tls-cert-file": folder / "server.crt",
        "tls-private-key-file": folder / "server.key",
        "client-ca-file": files.ca,
        "authorization-mode": "Node,RBAC",
        "service-account-issuer": ISSUER,
        "service-account-key-file": folder / "service-accounts.pub",
        "service-account-signing-key-file": folder / "service-accounts.key",
        "allow-privileged": "true",
        # Else `kubectl logs` would ask a DNS for the node's name.
        "kubelet-preferred-address-types": "InternalIP",
        "kubelet-client-certificate": folder / "kubelet-client.crt",
        "kubelet-client-key": folder / "kubelet-client.key",
        # Else a stopping server waits a minute for watches to end by themselves.
        "shutdown-watch-termination-grace-period": "5s",
    }
    if settings.address.startswith("127."):
        # Endpoints may not hold loopback addresses; without nodes nothing uses the Service `kubernetes`.
        arguments["endpoint-reconciler-type"] = "none"
    if settings.audit:
        # Never rotated: `audit_events` reads one file.
        audit = {"audit-policy-file": files.audit_policy, "audit-log-path": files.audit_log, "audit-log-maxsize": 2**14}
        arguments |= audit
    return _flags(arguments)


def kube_controller_manager(files: Files, ports: Ports, settings: Settings) -> list[str]:
    """Arguments of the controller manager. Each controller acts as its own ServiceAccount, as in a real cluster."""
    arguments = {
        **_component(files, "kube-controller-manager", ports.controller_manager),
        "root-ca-file": files.ca,
        "service-account-private-key-file": files.certificates / "service-accounts.key",
        "use-service-account-credentials": "true",
    }
    if settings.pod_cidr:
        arguments |= {"allocate-node-cidrs": "true", "cluster-cidr": settings.pod_cidr}
    return _flags(arguments)


def kube_scheduler(files: Files, ports: Ports, settings: Settings) -> list[str]:
    """Arguments of the scheduler."""
    return _flags(_component(files, "kube-scheduler", ports.scheduler))


def _component(files: Files, name: str, port: int) -> dict[str, object]:
    """What every client component of the API server takes."""
    return {
        "kubeconfig": files.kubeconfig(name),
        "bind-address": "127.0.0.1",
        "secure-port": port,
        "tls-cert-file": files.certificates / "server.crt",
        "tls-private-key-file": files.certificates / "server.key",
        "leader-elect": "false",
    }


def _flags(arguments: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in arguments.items()]
