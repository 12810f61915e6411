"""The examples of methods, as they are: what was never seen is told apart, or expected, afterwards."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "tasks"
JUDGED = {
    "orpo": "preference preference_accuracy",
    "kto": "preference preference_accuracy",
    "pretrain": "perplexity",
}
"""Examples with an EvalRun, and what it demands."""
UNPAIRED = ("kto", "pretrain")
"""Methods that learn from no pairs."""
SWIFTLET = Path(sys.executable).with_name("swiftlet")


@pytest.mark.usefixtures("smollm2")
@pytest.mark.parametrize("method", ["cpo", "dpo", "kto", "orpo", "pretrain", "simpo"])
def test_an_example_learns_what_it_says(tmp_path: Path, method: str) -> None:
    """Without a reference the model preferred the other answers before, so it is what was learnt; a reward beside a
    reference begins at 0."""
    command = [str(SWIFTLET), "run", str(EXAMPLES / f"{method}.yaml"), "--state", str(tmp_path)]
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=850, env=environment, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (history,) = tmp_path.glob(f"volumes/swiftlet-artifacts/default/finetunejobs/pirate-{method}-*/events.jsonl")
    first, *_, last = (json.loads(line) for line in history.read_text().splitlines())
    if method in JUDGED:
        assert f"passed  {JUDGED[method]}" in done.stdout, "an EvalRun judges it"
    if method in UNPAIRED:
        return
    assert float(last["evalRewardsAccuracies"]) >= 0.9
    before = "rewardsMargins" if method == "dpo" else "rewardsAccuracies"
    assert float(first[before]) <= (0 if method == "dpo" else 0.1)
