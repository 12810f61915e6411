"""Scenes: a namespace, an operator, and a proxy between it and the real API server."""

import contextlib
import copy
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from testbed.controlplane import ControlPlane
from testbed.scene import Scene

Object = dict[str, Any]
JOB: Object = {
    "apiVersion": "swiftlet.dev/v1alpha1",
    "kind": "FineTuneJob",
    "spec": {
        "model": {"uri": "hf://HuggingFaceTB/SmolLM2-135M-Instruct"},
        "datasets": [{"uri": "configmap://rows/train.jsonl"}],
    },
}


def furnish(scene: Scene) -> None:
    """What a namespace must hold for a job of `document` to start."""
    scene.core.create_namespaced_config_map(
        scene.namespace, {"metadata": {"name": "rows"}, "data": {"train.jsonl": '{"text": "a"}\n'}}
    )
    scene.create_claim()


@pytest.fixture(scope="session")
def document() -> Callable[..., Object]:
    """A FineTuneJob by name; other arguments replace fields of its spec."""

    def make(name: str, **spec: Any) -> Object:
        made = copy.deepcopy(JOB)
        made["metadata"] = {"name": name}
        made["spec"] |= spec
        return made

    return make


@pytest.fixture(scope="module")
def new_scene(control_plane: ControlPlane, core: Any, tmp_path_factory: Any) -> Iterator[Callable[..., Scene]]:
    """Makes scenes of new namespaces; flags of the operator may be given. They end with the tests of one file,
    so that their operators take no time from other tests, and their namespaces go too."""
    with contextlib.ExitStack() as stack:

        def make(*flags: str) -> Scene:
            name = f"faults-{uuid.uuid4().hex[:8]}"
            core.create_namespace({"metadata": {"name": name}})
            stack.callback(core.delete_namespace, name)
            folder: Path = tmp_path_factory.mktemp(name)
            scene = stack.enter_context(Scene(control_plane, name, folder, *flags))
            furnish(scene)
            return scene

        yield make


@pytest.fixture(scope="module")
def shared_scene(new_scene: Callable[..., Scene]) -> Scene:
    """The scene that most tests share, each with resources of its own names."""
    return new_scene()


@pytest.fixture
def scene(shared_scene: Scene) -> Iterator[Scene]:
    """The shared scene without faults, and with no record of requests; its operator runs."""
    shared_scene.wait_quiet(0.2)
    shared_scene.proxy.clear()
    yield shared_scene
    shared_scene.proxy.clear()
