"""Argo CD beside a control plane: upstream's kinds, settings and rights, its components as processes on loopback.

    with ArgoCd(control_plane) as argo_cd:
        control_plane.kubectl("apply", "-n", "argocd", "-f", "-", stdin=...)  # Applications; file:// repositories work
        argo_cd.cli("app", "get", "bird")

Everybody who reaches its API may do everything there. It has no user interface.
"""

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from testbed.controlplane import ControlPlane
from testbed.errors import TestBedError
from testbed.manifests import await_kinds
from testbed.processes import Command, Process
from testbed.programs import programs, sources
from testbed.system import ARGO_CD_PROGRAMS, ensure, find

NAMESPACE = "argocd"
MODULE = "github.com/argoproj/argo-cd/v3"
CONTROLLER, SERVER, REPOSITORIES = "argocd-application-controller", "argocd-server", "argocd-repo-server"
KINDS = "crds"
SETTINGS_AND_RIGHTS = ("base/config", "base/application-controller-roles", "cluster-rbac")
"""Kustomizations of upstream's manifests folder."""
SERVER_RIGHTS = tuple(f"base/server/argocd-server-{part}.yaml" for part in ("sa", "role", "rolebinding"))
"""Of a kustomization that has a Deployment besides."""
FOLDERS = ("TLS_DATA_PATH", "SSH_DATA_PATH", "GPG_DATA_PATH", "GNUPGHOME", "PLUGINSOCKFILEPATH")
"""Places that are below /app/config in upstream's image."""


class ArgoCd:
    """A running Argo CD. Use it as a context manager."""

    def __init__(self, control_plane: ControlPlane) -> None:
        """Raises MissingProgramError when redis or git is not there and may not be installed."""
        ensure(*ARGO_CD_PROGRAMS)
        self._control_plane = control_plane
        self._programs = programs("argocd", "kustomize", "helm")
        self._folder = control_plane.bed.folder / "argocd"
        self._redis, self._repositories, self._server, *self._metrics = (
            control_plane.bed.free_port() for _ in range(6)
        )
        self._processes: list[Process] = []

    def __enter__(self) -> Self:
        for name in ("bin", "work", "empty"):
            (self._folder / name).mkdir(parents=True)
        self._link_programs()
        self._install()
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the programs; what they manage stays."""
        for process in reversed(self._processes):
            process.stop()

    @property
    def environment(self) -> dict[str, str]:
        """For commands: `argocd` is on PATH and knows the server."""
        options = f"--server=127.0.0.1:{self._server} --plaintext"
        return {**self._path(), "ARGOCD_OPTS": options, "HOME": str(self._folder / "work")}

    def cli(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `argocd`. Raises TestBedError when it fails and `check` is set."""
        done = subprocess.run(
            ["argocd", *args], env={**os.environ, **self.environment}, capture_output=True, text=True, check=False
        )
        if check and done.returncode != 0:
            raise TestBedError(f"argocd {' '.join(args)} ended with {done.returncode}: {done.stderr.strip()}")
        return done

    def _link_programs(self) -> None:
        """One program is every component, by the name that it is called by. So is Debian's redis, whose package
        redis-server would besides start one."""
        redis = find("redis-check-rdb")
        links = dict.fromkeys((CONTROLLER, SERVER, REPOSITORIES), self._programs["argocd"])
        for name, program in {**self._programs, **links, "redis-server": Path(redis or "")}.items():
            (self._folder / "bin" / name).symlink_to(program)

    def _install(self) -> None:
        manifests, kubectl = sources("argocd", MODULE) / "manifests", self._control_plane.kubectl
        kubectl("create", "namespace", NAMESPACE)
        # The largest CRD does not fit into the annotation of a client-side apply.
        kubectl("apply", "--server-side", "-k", str(manifests / KINDS))
        for folder in SETTINGS_AND_RIGHTS:
            kubectl("apply", "-n", NAMESPACE, "-k", str(manifests / folder))
        files = [argument for file in SERVER_RIGHTS for argument in ("-f", str(manifests / file))]
        kubectl("apply", "-n", NAMESPACE, *files)
        await_kinds(self._control_plane)

    def _start(self) -> None:
        """The server before the controller: it makes the key of their sessions, and the AppProject `default`."""
        here, redis = "127.0.0.1", f"--redis=127.0.0.1:{self._redis}"
        others = [redis, f"--repo-server={here}:{self._repositories}", "--repo-server-plaintext"]
        repositories, server, controller = self._metrics
        self._run("redis-server", "--port", str(self._redis), "--bind", here, "--save", "", "--appendonly", "no")
        self._run(
            *(REPOSITORIES, redis, "--disable-tls", f"--address={here}", f"--port={self._repositories}"),
            *(f"--metrics-address={here}", f"--metrics-port={repositories}"),
        )
        self._run(
            *(SERVER, *others, f"--address={here}", f"--port={self._server}", "--insecure", "--disable-auth"),
            *(f"--namespace={NAMESPACE}", f"--metrics-address={here}", f"--metrics-port={server}"),
            account=SERVER,
        )
        for process, port in ((self._processes[-2], repositories), (self._processes[-1], self._server)):
            process.wait_ready(f"http://{here}:{port}/healthz")
        # Health of each resource in the Application's status, where whoever has kubectl finds it.
        flags = (*others, f"--namespace={NAMESPACE}", f"--metrics-port={controller}", "--persist-resource-health")
        self._run(CONTROLLER, *flags, account=CONTROLLER)
        self._processes[-1].wait_ready(f"http://{here}:{controller}/healthz")

    def _run(self, name: str, *flags: str, account: str = "") -> None:
        """Start a component; with the rights of an account where it needs any in the cluster."""
        environment = self._surroundings()
        if account:
            # With both the destination https://kubernetes.default.svc is this control plane.
            kubeconfig = self._control_plane.service_account_kubeconfig(NAMESPACE, account)
            environment |= {"KUBECONFIG": str(kubeconfig), "ARGOCD_FAKE_IN_CLUSTER": "true"}
        command = Command(name, [str(self._folder / "bin" / name), *flags], environment)
        self._processes.append(Process(self._control_plane.bed, command))

    def _surroundings(self) -> dict[str, str]:
        work, empty = self._folder / "work", str(self._folder / "empty")
        return {
            **self._path(),
            **{f"ARGOCD_{name}": empty for name in FOLDERS},
            "ARGOCD_GPG_ENABLED": "false",
            "ARGOCD_ASK_PASS_SOCK": str(work / "ask-pass"),
            "ARGOCD_SYNC_WAVE_DELAY": "0",  # seconds that nothing is waited for
            "TMPDIR": str(work),
        }

    def _path(self) -> dict[str, str]:
        return {"PATH": f"{self._folder / 'bin'}:{os.environ.get('PATH', os.defpath)}"}
