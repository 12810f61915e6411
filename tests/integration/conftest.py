"""A real control plane for the whole session, with the project's CRDs; a namespace and clients for each test."""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from kubernetes import client, config
from testbed.controlplane import COMPONENTS, ControlPlane
from testbed.errors import MissingProgramError
from testbed.manifests import await_kinds
from testbed.programs import programs

HERE = Path(__file__).parent
CRDS = HERE.parent.parent / "crds"
PROGRAMS = (*COMPONENTS, "kubectl")
MORE = {
    HERE / "operator" / "kueue": ("kueue", "jobset"),
    HERE / "operator" / "jobset": ("jobset", "helm"),
    HERE / "operator" / "argocd": ("argocd", "kustomize", "helm"),
    HERE / "operator" / "prometheus_operator": ("prometheus-operator", "helm"),
}
"""Programs that the tests below a folder need besides."""
BUILT = pytest.StashKey[str]()
"""Why the programs are not there; empty when they are."""


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build what is missing before the first test: a first build takes minutes, which are no test's time."""
    ours = [item for item in session.items if HERE in item.path.parents]
    if not ours or session.config.option.collectonly:
        return
    capture = session.config.pluginmanager.get_plugin("capturemanager")
    session.config.stash[BUILT] = ""
    try:
        # Workers of xdist have no terminal, but the standard error output of the whole.
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            programs(*PROGRAMS, *_more(ours))
    except MissingProgramError as error:
        session.config.stash[BUILT] = str(error)


def _more(items: list[pytest.Item]) -> list[str]:
    folders = {folder for item in items for folder in item.path.parents}
    return [program for folder, names in MORE.items() if folder in folders for program in names]


@pytest.fixture(scope="session")
def built(pytestconfig: pytest.Config) -> None:
    """The control plane's programs are there. Else the test is skipped with what to do, and fails under CI."""
    if problem := pytestconfig.stash[BUILT]:
        if os.environ.get("CI"):
            pytest.fail(problem)
        pytest.skip(problem)


@pytest.fixture(scope="session")
def control_plane(built: None, request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """A control plane that notes every request, with the CRDs established. Logs are kept when a test failed."""
    with ControlPlane(audit=True) as running:
        running.kubectl("apply", "--server-side", "-f", str(CRDS))
        await_kinds(running)
        yield running
        running.keep_logs = request.session.testsfailed > 0


@pytest.fixture(scope="session")
def kube(control_plane: ControlPlane) -> client.ApiClient:
    """The official client as administrator: `client.CoreV1Api(kube)`, `client.CustomObjectsApi(kube)`."""
    return config.new_client_from_config(str(control_plane.kubeconfig))


@pytest.fixture(scope="session")
def core(kube: client.ApiClient) -> client.CoreV1Api:
    """Namespaces, pods, services, events."""
    return client.CoreV1Api(kube)


@pytest.fixture(scope="session")
def custom(kube: client.ApiClient) -> client.CustomObjectsApi:
    """The project's own kinds."""
    return client.CustomObjectsApi(kube)


@pytest.fixture
def new_namespace(core: client.CoreV1Api) -> Iterator[Callable[..., str]]:
    """Makes namespaces with labels, in which pods can be created: their accounts are there. They are deleted after the
    test, without waiting."""
    made: list[str] = []

    def make(**labels: str) -> str:
        made.append(name := f"test-{uuid.uuid4().hex[:8]}")
        core.create_namespace({"metadata": {"name": name, "labels": labels}})
        deadline = time.monotonic() + 120
        while not core.list_namespaced_service_account(name).items:
            assert time.monotonic() < deadline, "the controllers make no account"
            time.sleep(0.02)
        return name

    yield make
    for name in made:
        core.delete_namespace(name)


@pytest.fixture
def namespace(new_namespace: Callable[..., str]) -> str:
    """A new namespace's name."""
    return new_namespace()


@pytest.fixture
def stoppable(control_plane: ControlPlane, namespace: str) -> Iterator[ControlPlane]:
    """The control plane, for tests that stop a part of it. Its controllers and its scheduler connect again after a
    backoff of up to half a minute, and tests that come after need them: this waits until they work."""
    yield control_plane
    here = ("--namespace", namespace)
    control_plane.kubectl("create", "job", "probe", "--image=none", *here)
    control_plane.kubectl("run", "probe", "--image=none", *here)
    control_plane.kubectl("wait", "--for=jsonpath={.status.active}=1", "job/probe", "--timeout=300s", *here)
    control_plane.kubectl("wait", "--for=condition=PodScheduled=false", "pod/probe", "--timeout=300s", *here)
