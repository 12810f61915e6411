"""Losses of a run, step by step, from the events that it leaves beside its artifact."""

import json
from pathlib import Path


def loss_curve(artifacts: Path, name: str = "bird") -> list[tuple[int, str]]:
    """(step, loss as printed) of each step of the only run of that name in a volume of artifacts, in order."""
    (history,) = artifacts.glob(f"**/finetunejobs/{name}-*/events.jsonl")
    events = [json.loads(line) for line in history.read_text().splitlines()]
    return [(event["step"], event["loss"]) for event in events if event["type"] == "progress" and "loss" in event]


def losses(artifacts: Path) -> list[float]:
    """The losses alone."""
    return [float(loss) for _, loss in loss_curve(artifacts)]
