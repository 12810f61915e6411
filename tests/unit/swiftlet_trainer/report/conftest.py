"""What a run leaves behind for its page."""

import json
from pathlib import Path

import pytest


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A training run of 30 steps, resumed once: step 12 was written twice, and a line was cut short by a kill."""
    steps = [(step, 3.0 / step) for step in (*range(1, 13), 12, *range(13, 31))]
    lines = [
        json.dumps(
            {
                "time": f"2026-01-01T00:00:{step:02d}.000Z",
                "type": "progress",
                "step": step,
                "totalSteps": 30,
                "epoch": f"{step / 10:.2f}",
                "loss": repr(loss),
                "learningRate": "0.0001",
                "tokensPerSecond": "400.0",
            }
        )
        for step, loss in steps
    ]
    (tmp_path / "events.jsonl").write_text("\n".join([*lines[:5], '{"step": 5, "lo', *lines[5:]]) + "\n")
    result = {
        "dataset": {"read": 90, "used": 84, "tokens": 4321, "dropped": {"too_long": 6}},
        "artifact": {"uri": "pvc://a/b", "digest": "sha256:abc", "type": "adapter", "baseDigest": "sha256:def"},
    }
    (tmp_path / "result.json").write_text(json.dumps(result))
    manifest = {
        "name": "default/bird",
        "baseModel": {"uri": "hf://HuggingFaceTB/SmolLM2-135M-Instruct", "architecture": "LlamaForCausalLM"},
        "parameters": {"tuner": {"lora": {"rank": 16}}, "template": {"system": "<script>alert(1)</script>"}},
        "packages": {"torch": "2.13.0"},
    }
    (tmp_path / "artifact").mkdir()
    (tmp_path / "artifact" / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path
