"""The examples of methods that compare texts, as they are: an EvalRun asks what was never seen."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "tasks"
SWIFTLET = Path(sys.executable).with_name("swiftlet")


GENERATIVE = (
    ("{lossType: listwise}", "{lossType: listwise, generative: true}"),
    ("{maxLength: 64}", "{maxLength: 160}"),  # the question that is put in words takes tokens
)


@pytest.mark.usefixtures("smollm2")
@pytest.mark.parametrize("method", ["embedding", "reranker"])
def test_an_example_finds_what_answers_a_question(tmp_path: Path, method: str) -> None:
    """The right document is found far earlier than by the model that it began with."""
    _finds(EXAMPLES / f"{method}.yaml", tmp_path / "state", method)


@pytest.mark.usefixtures("smollm2")
def test_the_example_of_a_reranker_learns_to_answer_yes_or_no_too(tmp_path: Path) -> None:
    """The same rows and the same judge, where the model's own answer is the score."""
    text = (EXAMPLES / "reranker.yaml").read_text()
    for before, after in GENERATIVE:
        assert before in text
        text = text.replace(before, after)
    (tmp_path / "generative.yaml").write_text(text)
    _finds(tmp_path / "generative.yaml", tmp_path / "state", "reranker")


def _finds(documents: Path, state: Path, method: str) -> None:
    command = [str(SWIFTLET), "run", str(documents), "--state", str(state)]
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=850, env=environment, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "passed  retrieval mrr" in done.stdout
    (results,) = state.glob(f"volumes/swiftlet-artifacts/default/evalruns/shop-{method}-*/results.json")
    deltas = {one["metric"]: float(one["delta"]) for one in json.loads(results.read_text())["comparison"]}
    assert deltas["mrr"] >= 0.3
    assert deltas["recall_at_1"] > 0
