"""Losses of a run, step by step, from the events that it leaves beside its artifact."""

import json
from pathlib import Path


def losses(artifacts: Path) -> list[float]:
    """Of each step of the quickstart's job in a volume of artifacts."""
    lines = [line for file in artifacts.glob("**/finetunejobs/bird-*/events.jsonl") for line in file.open()]
    events = [json.loads(line) for line in lines]
    return [float(event["loss"]) for event in events if event["type"] == "progress" and "loss" in event]
