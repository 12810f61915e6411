"""Deleting resources and what was made for them."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from swiftlet.local.lock import StateLock


@pytest.fixture
def state(failed_state: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(failed_state, tmp_path / "state"))


def names(swiftlet: Any, state: Path, kinds: str) -> list[str]:
    found: list[str] = swiftlet("get", kinds, "-o", "name", "--state", state).stdout.split()
    return found


def test_a_resource_goes_and_the_others_stay(swiftlet: Any, state: Path) -> None:
    done = swiftlet("delete", "finetunejob", "bird", "--state", state)
    assert (done.returncode, done.stdout) == (0, 'finetunejob "bird" deleted\n')
    assert names(swiftlet, state, "all") == ["evalrun/after", "evalrun/before", "evalrun/other"]
    assert names(swiftlet, state, "jobs,pods,events") == []
    assert not list((state / "pods").glob("*/*"))
    assert (state / "volumes/swiftlet-artifacts").is_dir()


def test_several_at_once(swiftlet: Any, state: Path) -> None:
    assert swiftlet("delete", "evr/after", "ftj/bird", "--state", state).returncode == 0
    assert names(swiftlet, state, "all") == ["evalrun/before", "evalrun/other"]


def test_what_documents_name(swiftlet: Any, state: Path, tmp_path: Path) -> None:
    document = "apiVersion: swiftlet.dev/v1alpha1\nkind: EvalRun\nmetadata: {name: before}\nspec: {}\n"
    (tmp_path / "run.yaml").write_text(document)
    assert swiftlet("delete", "-f", tmp_path / "run.yaml", "--state", state).returncode == 0
    assert names(swiftlet, state, "evr") == ["evalrun/after", "evalrun/other"]


def test_what_is_not_there_stops_everything(swiftlet: Any, state: Path) -> None:
    done = swiftlet("delete", "evr", "after", "absent", "--state", state)
    assert done.returncode == 1
    assert "evalruns 'absent' not found" in done.stderr
    assert "evalrun/after" in names(swiftlet, state, "evr")
    assert swiftlet("delete", "evr", "after", "absent", "--ignore-not-found", "--state", state).returncode == 0


def test_a_folder_with_an_engine_is_left_alone(swiftlet: Any, state: Path) -> None:
    with StateLock(state):
        done = swiftlet("delete", "ftj", "bird", "--state", state)
    assert done.returncode == 3
    assert "`swiftlet run` works on" in done.stderr
    assert names(swiftlet, state, "ftj") == ["finetunejob/bird"]


@pytest.mark.parametrize("arguments", [[], ["ftj"], ["ftj", "bird", "-f", "x.yaml"]])
def test_it_must_be_said_what(swiftlet: Any, state: Path, arguments: list[str]) -> None:
    done = swiftlet("delete", *arguments, "--state", state)
    assert done.returncode == 2
    assert names(swiftlet, state, "ftj") == ["finetunejob/bird"]
