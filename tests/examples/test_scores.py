"""The examples of models that score texts, as they are: rows that were never seen are judged rightly by an EvalRun."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "tasks"
SWIFTLET = Path(sys.executable).with_name("swiftlet")
GATES = {"rm": "preference preference_accuracy", "seq-cls": "classification accuracy"}


@pytest.mark.usefixtures("smollm2")
@pytest.mark.parametrize("method", GATES)
def test_an_example_learns_what_it_says(tmp_path: Path, method: str) -> None:
    command = [str(SWIFTLET), "run", str(EXAMPLES / f"{method}.yaml"), "--state", str(tmp_path)]
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=850, env=environment, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert f"passed  {GATES[method]}" in done.stdout
