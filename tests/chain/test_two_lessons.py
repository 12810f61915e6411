"""The example of a chain, but for its server: what the first job has taught is there after the second one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples/chain"
BUT_THE_SERVER = [str(EXAMPLE / f"{name}.yaml") for name in ("evalrun", "dpo", "sft", "data")]


@pytest.mark.timeout(1200)
def test_the_second_job_trains_the_adapter_of_the_first_further(new_chain: Callable[..., Any]) -> None:
    """The name that it was taught by sft, and the manner by dpo, both judged by the example's own gates."""
    chain = new_chain("two-lessons")
    done = chain.swiftlet("run", *BUT_THE_SERVER)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    first, second = (chain.get("finetunejob", name)["status"] for name in ("polly-sft", "polly"))
    (parent,) = second["lineage"]
    assert (parent["fineTuneJob"], parent["digest"]) == ("polly-sft", first["artifact"]["digest"])
    assert parent["baseModel"] == second["artifact"]["baseModel"] == "hf://HuggingFaceTB/SmolLM2-135M-Instruct"
    (artifact,) = chain.state.glob("volumes/swiftlet-artifacts/default/finetunejobs/polly-[!s]*/artifact")
    (recorded,) = json.loads((artifact / "manifest.json").read_text())["parents"]
    assert (recorded["name"], recorded["digest"]) == ("default/polly-sft", first["artifact"]["digest"])
    run = chain.get("evalrun", "polly")["status"]
    assert run["targetDigest"] == second["artifact"]["digest"]
    assert len(run["gates"]) == 2 and all(gate["passed"] for gate in run["gates"])
    assert first["artifact"]["digest"] in chain.swiftlet("describe", "finetunejob", "polly").stdout
