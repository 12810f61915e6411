"""Losses of a run, step by step, from the events that it leaves beside its artifact."""

import json
import subprocess
from pathlib import Path


def losses(artifacts: Path) -> list[float]:
    """Of each step of the quickstart's job in a volume of artifacts, as far as it has come."""
    lines = [line for file in artifacts.glob("**/finetunejobs/bird-*/events.jsonl") for line in file.open()]
    events = [json.loads(line) for line in lines if line.endswith("\n")]
    return [float(event["loss"]) for event in events if event["type"] == "progress" and "loss" in event]


def first_losses(artifacts: Path, run: "subprocess.Popen[bytes]", steps: int) -> list[float]:
    """Of the first steps of a run that goes on, none before it has taken so many. Fails when it has ended."""
    ended, found = run.poll(), losses(artifacts)
    assert len(found) >= steps or ended is None, f"the run ended with {ended} after {len(found)} steps"
    return found[:steps] if len(found) >= steps else []
