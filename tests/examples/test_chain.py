"""The example of a chain, but for its server: what the first job has taught is there after the second one."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "chain"
BUT_THE_SERVER = [str(EXAMPLE / f"{name}.yaml") for name in ("evalrun", "dpo", "sft", "data")]
SWIFTLET = Path(sys.executable).with_name("swiftlet")


@pytest.mark.usefixtures("smollm2")
def test_the_second_job_trains_the_adapter_of_the_first_further(tmp_path: Path) -> None:
    """The name that it was taught by sft, and the manner by dpo, both judged by the example's own gates."""

    def swiftlet(*arguments: str) -> str:
        command = [str(SWIFTLET), *arguments, "--state", str(tmp_path)]
        environment = {**os.environ, "NO_COLOR": "1"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=850, env=environment, check=False)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    def status(kind: str, name: str) -> Any:
        return json.loads(swiftlet("get", kind, name, "-o", "json"))["status"]

    swiftlet("run", *BUT_THE_SERVER)
    first, second, run = status("ftj", "polly-sft"), status("ftj", "polly"), status("evr", "polly")
    (parent,) = second["lineage"]
    assert (parent["fineTuneJob"], parent["digest"]) == ("polly-sft", first["artifact"]["digest"])
    assert parent["baseModel"] == second["artifact"]["baseModel"] == "hf://HuggingFaceTB/SmolLM2-135M-Instruct"
    (manifest,) = tmp_path.glob("volumes/swiftlet-artifacts/default/finetunejobs/polly-[!s]*/artifact/manifest.json")
    (recorded,) = json.loads(manifest.read_text())["parents"]
    assert (recorded["name"], recorded["digest"]) == ("default/polly-sft", first["artifact"]["digest"])
    assert run["targetDigest"] == second["artifact"]["digest"]
    assert len(run["gates"]) == 2 and all(gate["passed"] for gate in run["gates"])
    assert first["artifact"]["digest"] in swiftlet("describe", "finetunejob", "polly")
