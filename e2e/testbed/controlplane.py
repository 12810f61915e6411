"""A control plane of real programs on loopback: etcd, kube-apiserver, kube-controller-manager, kube-scheduler.

    with ControlPlane() as control_plane:
        control_plane.kubectl("get", "namespaces")

It takes free ports and a folder of its own, so several can run at once, and leaves nothing behind.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from testbed import controlplane_arguments as arguments
from testbed.beds import Bed
from testbed.certificates import Authority, signing_key, write_secret
from testbed.controlplane_arguments import AUDIT_POLICY, Files, Ports, Settings
from testbed.errors import TestBedError
from testbed.guard import guard
from testbed.kubeconfigs import by_certificate, by_token, kubeconfig, write_kubeconfig
from testbed.processes import Command, Process
from testbed.programs import programs

COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
"""In the order of starting."""
ADMIN_GROUP = "system:masters"


class ControlPlane:
    """A running control plane. Use it as a context manager, or call `up` and `down`."""

    def __init__(self, settings: Settings | None = None, *, name: str | None = None, audit: bool = False) -> None:
        """`name` names the bed; `audit=True` sets that setting."""
        self._settings = settings or Settings()
        if audit:
            self._settings = replace(self._settings, audit=True)
        self._programs = programs(*COMPONENTS, "kubectl")
        self._processes: dict[str, Process] = {}
        self.authority = Authority()
        self.bed = Bed.create(name)
        self._guard = guard(self.bed)
        self._files = Files(self.bed.folder)
        self._ports = Ports(*(self.bed.free_port() for _ in range(5)))
        self._audit, self._audit_read = list[dict[str, Any]](), 0
        """What was read of the audit log, and how many bytes that was."""
        self.keep_logs = False
        """Set it when something went wrong: the logs then outlive the bed, and their place is told on stderr."""

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://{self._settings.address}:{self._ports.api}"

    @property
    def prefix(self) -> tuple[str, ...]:
        """Of a command that runs where the API server's loopback is."""
        return tuple(self._settings.prefix)

    @property
    def etcd(self) -> str:
        """URL of etcd, where the programs run."""
        return f"http://127.0.0.1:{self._ports.etcd}"

    @property
    def ca(self) -> Path:
        """PEM file of the authority that every server certificate comes from."""
        return self._files.ca

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig of an administrator (group system:masters)."""
        return self._files.kubeconfig("admin")

    @property
    def logs(self) -> Path:
        """Folder of one log per program."""
        return self.bed.logs

    @property
    def audit_log(self) -> Path:
        """One JSON document per request, with the setting `audit`."""
        return self._files.audit_log

    def __enter__(self) -> Self:
        return self.up()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.keep_logs = self.keep_logs or error is not None
        self.down()

    def up(self) -> Self:
        """Start everything and wait until it is ready. Raises TestBedError with the log when a program is not."""
        try:
            self._write_files()
            # The API server waits for etcd by itself; the others give up too early to be started with it.
            self._launch("etcd")
            self.start("kube-apiserver")
            self._launch("kube-controller-manager")
            self._launch("kube-scheduler")
            for name in COMPONENTS:
                self._wait(name)
            # The controllers work once one has done something; pods need this account, too.
            self.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=120s")
        except BaseException:
            self.keep_logs = True
            self.down()
            raise
        return self

    def down(self) -> None:
        """End every process of the bed and remove its folder."""
        if self.keep_logs and self.logs.exists():
            sys.stderr.write(f"testbed: logs of {self.bed.name} kept in {keep(self.logs)}\n")
        self.bed.end()
        self._guard.terminate()
        self._guard.wait()
        for process in self._processes.values():
            process.kill()  # gone already: this collects its exit code

    def detach(self) -> None:
        """Let the bed outlive this process; `Bed.end` ends it."""
        self.bed.detach()
        self._guard.terminate()
        self._guard.wait()

    def start(self, name: str) -> None:
        """Start a stopped component and wait until it is ready."""
        self._launch(name)
        self._wait(name)

    def stop(self, name: str) -> None:
        """End a component with SIGTERM, as a rolling update does."""
        self._running(name).stop()

    def kill(self, name: str) -> None:
        """End a component with SIGKILL, as a crash does."""
        self._running(name).kill()

    def restart(self, name: str) -> None:
        """Stop a component, start it with the same data, wait until it is ready."""
        self.stop(name)
        self.start(name)

    def kubectl(
        self, *args: str, stdin: str | None = None, check: bool = True, kubeconfig: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the administrator, or as who `kubeconfig` says. Raises TestBedError when it fails and
        `check` is set."""
        command = [*self._settings.prefix, str(self._programs["kubectl"]), *args]
        environment = {
            **os.environ,
            **self.bed.environment(),
            "KUBECONFIG": str(kubeconfig or self.kubeconfig),
            "KUBECACHEDIR": str(self.bed.folder / "kubectl-cache"),
        }
        done = subprocess.run(command, input=stdin, env=environment, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise TestBedError(f"kubectl {' '.join(args)} ended with {done.returncode}: {done.stderr.strip()}")
        return done

    def client_kubeconfig(self, user: str, groups: Sequence[str] = ()) -> Path:
        """Kubeconfig of a user by client certificate: what they may do is for RBAC to say."""
        return self._write_client(f"user-{quote(user, safe='')}", user, groups)

    def service_account_kubeconfig(self, namespace: str, name: str) -> Path:
        """Kubeconfig of an existing ServiceAccount, with a token by TokenRequest that is good for a day."""
        token = self.kubectl("create", "token", name, "--namespace", namespace, "--duration", "24h").stdout.strip()
        document = kubeconfig(self.server, self.authority.certificate, by_token(token), namespace)
        return write_kubeconfig(self._files.kubeconfig(f"{namespace}.{name}"), document)

    def audit_events(self, user: str | None = None) -> list[dict[str, Any]]:
        """Every finished request so far, or a user's, with the setting `audit`. Who sent a token that is good no longer
        (a deleted pod's, still running) is nobody's name."""
        with self.audit_log.open("rb") as log:
            log.seek(self._audit_read)
            # The last line may be in the middle of being written.
            whole = log.read().rpartition(b"\n")
        self._audit_read += len(whole[0] + whole[1])
        self._audit += [json.loads(line) for line in whole[0].splitlines()]
        return [event for event in self._audit if user in (None, event["user"].get("username"))]

    def _write_files(self) -> None:
        """Certificates, kubeconfigs and the audit policy."""
        folder = self._files.certificates
        folder.mkdir()
        self.ca.write_bytes(self.authority.certificate)
        addresses = sorted({"127.0.0.1", self._settings.address, arguments.API_SERVICE_ADDRESS})
        names = ["localhost", *(f"kubernetes{rest}" for rest in ("", ".default", ".default.svc"))]
        self.authority.server("kube-apiserver", addresses, names).write(folder, "server")
        self.authority.client("kube-apiserver-kubelet-client", [ADMIN_GROUP]).write(folder, "kubelet-client")
        private, public = signing_key()
        write_secret(folder / "service-accounts.key", private)
        (folder / "service-accounts.pub").write_bytes(public)
        self._files.audit_policy.write_text(AUDIT_POLICY)
        self._write_client("admin", "admin", [ADMIN_GROUP])
        for component in ("kube-controller-manager", "kube-scheduler"):
            self._write_client(component, f"system:{component}", ())

    def _write_client(self, name: str, user: str, groups: Sequence[str]) -> Path:
        identity = by_certificate(self.authority.client(user, groups))
        document = kubeconfig(self.server, self.authority.certificate, identity)
        return write_kubeconfig(self._files.kubeconfig(name), document)

    def _launch(self, name: str) -> None:
        """Start a component without waiting."""
        if name in self._processes and self._processes[name].running:
            raise TestBedError(f"{name} runs already: stop it first, or use restart")
        of: Mapping[str, Callable[[Files, Ports, Settings], list[str]]] = {
            "etcd": arguments.etcd,
            "kube-apiserver": arguments.kube_apiserver,
            "kube-controller-manager": arguments.kube_controller_manager,
            "kube-scheduler": arguments.kube_scheduler,
        }
        if name not in of:
            raise TestBedError(f"{name!r} is no component; there are {', '.join(COMPONENTS)}")
        flags = [*of[name](self._files, self._ports, self._settings), *self._settings.extra.get(name, ())]
        command = Command(name, [str(self._programs[name]), *flags], {}, self._settings.prefix)
        self._processes[name] = Process(self.bed, command)

    def _wait(self, name: str) -> None:
        urls = {
            "etcd": f"{self.etcd}/readyz",
            "kube-apiserver": f"{self.server}/readyz",
            "kube-controller-manager": f"https://127.0.0.1:{self._ports.controller_manager}/healthz",
            "kube-scheduler": f"https://127.0.0.1:{self._ports.scheduler}/healthz",
        }
        ca = None if name == "etcd" else self.ca
        self._processes[name].wait_ready(urls[name], ca, prefix=self._settings.prefix)

    def _running(self, name: str) -> Process:
        if name not in self._processes:
            raise TestBedError(f"{name!r} was not started; there are {', '.join(self._processes) or 'none'}")
        return self._processes[name]


def keep(logs: Path) -> Path:
    """Copy logs to where they outlive their bed; that folder."""
    kept = Path(tempfile.mkdtemp(prefix=f"swiftlet-testbed-logs-{logs.parent.name}-"))
    shutil.copytree(logs, kept, dirs_exist_ok=True)
    return kept
