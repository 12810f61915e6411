"""The real Argo CD beside the control plane, a git repository of each test's own, and somebody who does what
docs/how-to/argo-cd.md says.

Real are the API server, the Job controller, the scheduler, the operator with the chart's rights, and Argo CD with
upstream's. There is no node: what a kubelet would tell of pods is played.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException
from testbed.argocd import NAMESPACE, ArgoCd
from testbed.controlplane import ControlPlane
from testbed.operator_process import OperatorProcess
from testbed.played_pods import evaluated
from testbed.programs import program

Object = dict[str, Any]
ROOT = Path(__file__).parents[4]
PAGE = ROOT / "docs" / "how-to" / "argo-cd.md"
LAYOUT = ROOT / "examples" / "gitops"
APPLICATION = "bird"
FINISHED = ("Synced", "Healthy")
POOR = evaluated({("generation", "contains"): ("0.40", "0.05")})
"""Figures by which the layout's gate fails."""
IDENTITY = {
    **{f"GIT_{who}_NAME": "Ann" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "ann@example" for who in ("AUTHOR", "COMMITTER")},
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


def commands() -> list[str]:
    """What the page tells to type: its indented blocks, a line each."""
    return [line.strip() for line in re.findall(r"(?m)^ {4,6}\S.*$", PAGE.read_text())]


def git(folder: Path, *args: str) -> None:
    """Run git in a folder."""
    environment = {**os.environ, **IDENTITY}
    done = subprocess.run(["git", *args], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (args, done.stderr)


def commit(folder: Path, message: str) -> None:
    """Commit everything in a folder, a repository from then on."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", message)


@pytest.fixture(scope="session")
def argo_cd(control_plane: ControlPlane) -> Iterator[ArgoCd]:
    """Argo CD runs and knows our kinds."""
    with ArgoCd(control_plane) as running:
        Reader(running, control_plane, "", ROOT).does(
            "kubectl patch configmap argocd-cm -n argocd --type merge --patch-file helm/argo-cd/argocd-cm.yaml"
        )
        yield running


@dataclass
class Reader:
    """Somebody who does what the page says, in a folder."""

    argo_cd: ArgoCd
    control_plane: ControlPlane
    namespace: str
    folder: Path

    def does(self, command: str) -> str:
        """Run a command of the page, for the test's namespace; what it prints. Raises AssertionError."""
        assert command in commands(), f"{PAGE.name} has no command {command!r}"
        path = f"{self.argo_cd.environment['PATH']}:{program('kubectl').parent}"
        kubeconfig = str(self.control_plane.kubeconfig)
        done = subprocess.run(
            ["bash", "-ec", command.replace("team-a", self.namespace)],
            cwd=self.folder,
            env={**os.environ, **self.argo_cd.environment, **IDENTITY, "PATH": path, "KUBECONFIG": kubeconfig},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout


@dataclass
class Followed:
    """A repository with the layout of examples/gitops, and the Application that follows it."""

    argo_cd: ArgoCd
    place: Any
    repository: Path
    checkout: Path

    def set_up(self) -> None:
        """Make the repository, with a first commit."""
        shutil.copytree(LAYOUT, self.checkout)
        git(self.repository.parent, "init", "--quiet", "--bare", "--initial-branch=main", str(self.repository))
        self.edit("application.yaml", "https://git.example/models.git", self.repository.as_uri())
        self.edit("application.yaml", "team-a", self.place.namespace)
        commit(self.checkout, "The layout")
        git(self.checkout, "remote", "add", "origin", str(self.repository))
        git(self.checkout, "push", "--quiet", "--set-upstream", "origin", "main")

    def push(self, message: str) -> None:
        """Commit everything, and push."""
        commit(self.checkout, message)
        git(self.checkout, "push", "--quiet")

    def edit(self, file: str, before: str, after: str) -> None:
        """Replace a text in a file of the checkout."""
        path = self.checkout / file
        assert before in path.read_text(), (file, before)
        path.write_text(path.read_text().replace(before, after))

    def follow(self) -> None:
        """Apply the layout's Application."""
        self.reader.does("kubectl apply -f application.yaml")

    @property
    def reader(self) -> Reader:
        """Who works in the checkout."""
        return Reader(self.argo_cd, self.place.control_plane, self.place.namespace, self.checkout)

    def look(self, how: str = "normal") -> None:
        """Have Argo CD look at the repository now, as a webhook would."""
        patch = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": how}}}
        self._kubectl("patch", "application", APPLICATION, "--type=merge", "-p", json.dumps(patch))
        self.place.wait(
            lambda: "argocd.argoproj.io/refresh" not in self.app()["metadata"].get("annotations", {}), "a look"
        )

    def app(self) -> Object:
        """The Application."""
        where = ("argoproj.io", "v1alpha1", NAMESPACE, "applications", APPLICATION)
        return dict(self.place.custom.get_namespaced_custom_object(*where))

    def status(self) -> tuple[str, str]:
        """(sync, health) of the Application."""
        status = self.app().get("status") or {}
        sync, health = ((status.get(part) or {}).get("status", "") for part in ("sync", "health"))
        return sync, health

    def operation(self) -> tuple[str, str]:
        """(phase, message) of the last sync, or of the present one."""
        state = (self.app().get("status") or {}).get("operationState") or {}
        return state.get("phase", ""), state.get("message", "")

    def health(self, kind: str, name: str) -> tuple[str, str]:
        """(status, message) of one resource; empty where Argo CD has none."""
        resources = (self.app().get("status") or {}).get("resources") or []
        found: Object = next((one for one in resources if (one["kind"], one["name"]) == (kind, name)), {})
        health = found.get("health") or {}
        return health.get("status", ""), health.get("message", "")

    def syncs(self) -> int:
        """How many syncs have succeeded."""
        return len((self.app().get("status") or {}).get("history") or [])

    def exists(self, kind: str, name: str) -> bool:
        """Whether a resource of ours is there."""
        return bool(self._uid(kind, name))

    def uid(self, kind: str, name: str) -> str:
        """Its uid, once it is there."""
        self.place.wait(lambda: self.exists(kind, name), f"{kind}/{name}")
        return self._uid(kind, name)

    def end(self, kind: str, name: str, message: Object | str = "", **how: Any) -> None:
        """Play how the pods of a resource end, or that they run."""
        self.place.play(self.uid(kind, name), message=message, **how)

    def train(self, name: str) -> None:
        """Play that a run has its artifact."""
        self.end("FineTuneJob", name)
        self.await_health("FineTuneJob", name, "Healthy", "Trained")

    def serve(self, name: str) -> None:
        """Play a run to the end: an artifact, good figures, a server that answers."""
        self.train(name)
        self.end("EvalRun", name)
        self.await_served()

    def await_served(self) -> None:
        """Play that servers run, until what git says is served and the Application is healthy."""
        uid = self.uid("ModelDeployment", "bird")

        def holds() -> bool:
            pods = self.place.children(uid).get("Pod", [])
            if any(pod.status.phase == "Pending" for pod in pods):
                self.place.play(uid, runs=True)
            found = self.place.get("ModelDeployment", "bird")
            observed = (found.get("status") or {}).get("observedGeneration") == found["metadata"]["generation"]
            return observed and self.status() == FINISHED

        self._await(holds, "served")

    def await_status(self, sync: str, health: str) -> None:
        """Wait for the Application's status."""
        self._await(lambda: self.status() == (sync, health), f"{sync}, {health}")

    def await_app_health(self, health: str) -> None:
        """Wait for the Application's health, whatever its sync status."""
        self._await(lambda: self.status()[1] == health, health)

    def await_result(self, words: str) -> None:
        """Wait for words in what a sync tells of one resource; each attempt begins with nothing told."""

        def holds() -> bool:
            state = (self.app().get("status") or {}).get("operationState") or {}
            results = (state.get("syncResult") or {}).get("resources") or []
            return any(words in one.get("message", "") for one in results)

        self._await(holds, words)

    def await_health(self, kind: str, name: str, status: str, message: str) -> None:
        """Wait for a resource's health, with words of its message."""

        def holds() -> bool:
            found = self.health(kind, name)
            return found[0] == status and message in found[1]

        self._await(holds, f"{kind}/{name} {status}: {message}")

    def await_operation(self, phase: str, message: str) -> None:
        """Wait for a sync's phase, with words of its message."""

        def holds() -> bool:
            found = self.operation()
            return found[0] == phase and message in found[1]

        self._await(holds, f"{phase}: {message}")

    def remove(self) -> None:
        """Take the Application away with what it has made, which the next one of that name would prune."""
        patch = {"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}}
        if self._kubectl("get", "application", APPLICATION, "--ignore-not-found", "-o", "name"):
            self._kubectl("patch", "application", APPLICATION, "--type=merge", "-p", json.dumps(patch))
            self._kubectl("delete", "application", APPLICATION, "--wait=false")
            self.place.wait(self._is_gone, "the Application is gone", 120)

    def _is_gone(self) -> bool:
        """Whether the Application is gone. It stays while a sync waits for something, and another may have begun."""
        if not self._kubectl("get", "application", APPLICATION, "--ignore-not-found", "-o", "name"):
            return True
        self.argo_cd.cli("app", "terminate-op", APPLICATION, check=False)
        return False

    def _await(self, holds: Callable[[], bool], what: str) -> None:
        try:
            self.place.wait(holds, what, 180)
        except AssertionError as error:
            status = self.app().get("status") or {}
            status.pop("history", None)
            raise AssertionError(f"{error}; {json.dumps(status)}") from None

    def _uid(self, kind: str, name: str) -> str:
        try:
            return str(self.place.get(kind, name)["metadata"]["uid"])
        except ApiException as error:
            if error.status != 404:
                raise
            return ""

    def _kubectl(self, *args: str) -> str:
        return str(self.place.control_plane.kubectl(*args, "-n", NAMESPACE).stdout)


@pytest.fixture
def bird(argo_cd: ArgoCd, operator: OperatorProcess, place: Any, tmp_path: Path) -> Iterator[Followed]:
    """The layout in a repository of its own; nobody follows it yet."""
    made = Followed(argo_cd, place, tmp_path / "models.git", tmp_path / "models")
    made.set_up()
    yield made
    made.remove()


@pytest.fixture
def reader(bird: Followed) -> Reader:
    """Who works in that repository."""
    return bird.reader
