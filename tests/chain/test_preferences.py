"""The examples of methods that compare answers, as they are: pairs that were never seen are told apart afterwards."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
SWIFTLET = Path(sys.executable).with_name("swiftlet")
WITHOUT_REFERENCE = ("orpo", "cpo", "simpo")


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory, smollm2: Path) -> dict[str, list[dict[str, Any]]]:
    """Steps of each example, by its method; all of them are run by one command."""
    state = tmp_path_factory.mktemp("state")
    command = [str(SWIFTLET), "run", str(REPOSITORY / "examples" / "tasks"), "--state", str(state)]
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=850, env=environment, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = {}
    for file in (REPOSITORY / "examples" / "tasks").glob("*.yaml"):
        (history,) = state.glob(f"volumes/swiftlet-artifacts/default/finetunejobs/pirate-{file.stem}-*/events.jsonl")
        found[file.stem] = [json.loads(line) for line in history.read_text().splitlines()]
    return found


def test_every_example_tells_pairs_apart_that_it_has_not_seen(histories: dict[str, list[dict[str, Any]]]) -> None:
    assert {
        name: float(steps[-1]["evalRewardsAccuracies"]) >= 0.9 for name, steps in histories.items()
    } == dict.fromkeys(("dpo", *WITHOUT_REFERENCE), True), histories


def test_the_model_preferred_the_others_before(histories: dict[str, list[dict[str, Any]]]) -> None:
    """So it is what was learnt. A reward beside a reference begins at 0."""
    for name in WITHOUT_REFERENCE:
        assert float(histories[name][0]["rewardsAccuracies"]) <= 0.1, name
    assert float(histories["dpo"][0]["rewardsMargins"]) == 0
