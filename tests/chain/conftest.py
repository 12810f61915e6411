"""Runs of the real command on the real model."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from curves import loss_curve
from ruamel.yaml import YAML

REPOSITORY = Path(__file__).parents[2]
SWIFTLET = Path(sys.executable).with_name("swiftlet")


@dataclass(frozen=True)
class Chain:
    """A folder of documents and the state folder that they run in."""

    documents: Path
    state: Path

    def command(self, *arguments: str) -> list[str]:
        return [str(SWIFTLET), *arguments, "--state", str(self.state)]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "NO_COLOR": "1", "COLUMNS": "160"}

    def swiftlet(self, *arguments: str, timeout: int = 900) -> subprocess.CompletedProcess[str]:
        """Run a subcommand to its end."""
        return subprocess.run(
            self.command(*arguments),
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self.environment(),
            check=False,
        )

    def get(self, kind: str, name: str) -> dict[str, Any]:
        found = self.swiftlet("get", kind, name, "-o", "json")
        assert found.returncode == 0, found.stderr
        document: dict[str, Any] = json.loads(found.stdout)
        return document

    def loss_curve(self) -> list[tuple[int, str]]:
        """(step, loss as printed) of each step of the run, in order."""
        return loss_curve(self.state / "volumes/swiftlet-artifacts")


@pytest.fixture(scope="module")
def new_chain(tmp_path_factory: pytest.TempPathFactory, smollm2: Path) -> Callable[..., Chain]:
    """Make a chain from the quickstart's FineTuneJob with parts of its spec replaced."""

    def make(name: str, **spec: Any) -> Chain:
        folder = tmp_path_factory.mktemp(name)
        yaml = YAML(typ="safe", pure=True)
        job = yaml.load(REPOSITORY / "examples/quickstart/finetunejob.yaml")
        job["spec"].update(spec)
        job["spec"]["datasets"][0]["uri"] = str(REPOSITORY / "examples/quickstart/data/self-cognition.jsonl")
        yaml.dump(job, folder / "finetunejob.yaml")
        return Chain(documents=folder, state=folder / "state")

    return make
