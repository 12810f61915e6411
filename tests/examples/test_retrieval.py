"""The examples of methods that compare texts, as they are: an EvalRun asks what was never seen."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "tasks"
SWIFTLET = Path(sys.executable).with_name("swiftlet")


@pytest.mark.usefixtures("smollm2")
@pytest.mark.parametrize("method", ["embedding", "reranker"])
def test_an_example_finds_what_answers_a_question(tmp_path: Path, method: str) -> None:
    """The right document is found far earlier than by the model that it began with."""
    command = [str(SWIFTLET), "run", str(EXAMPLES / f"{method}.yaml"), "--state", str(tmp_path)]
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=850, env=environment, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "passed  retrieval mrr" in done.stdout
    (results,) = tmp_path.glob(f"volumes/swiftlet-artifacts/default/evalruns/shop-{method}-*/results.json")
    deltas = {one["metric"]: float(one["delta"]) for one in json.loads(results.read_text())["comparison"]}
    assert deltas["mrr"] >= 0.3
    assert deltas["recall_at_1"] > 0
