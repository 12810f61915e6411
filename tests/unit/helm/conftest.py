"""The chart as real helm renders it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from testbed.errors import MissingProgramError
from testbed.programs import program

ROOT = Path(__file__).parents[3]
CHART = ROOT / "helm" / "swiftlet"
Manifest = dict[str, Any]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first may have to build helm."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session")
def helm() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs helm with these arguments and returns what became of it."""
    try:
        path = program("helm")
    except MissingProgramError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(path), *arguments], capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="session")
def render(helm: Callable[..., subprocess.CompletedProcess[str]]) -> Callable[..., list[Manifest]]:
    """The objects of a release `swiftlet` in namespace `swiftlet-system` with values given as `--set` takes them."""

    def run(*values: str) -> list[Manifest]:
        settings = [f"--set={value}" for value in ("registry=registry.example/swiftlet", *values)]
        done = helm("template", "swiftlet", str(CHART), "--namespace=swiftlet-system", *settings)
        assert done.returncode == 0, done.stderr
        return [document for document in YAML(typ="safe").load_all(done.stdout) if document]

    return run
