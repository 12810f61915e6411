"""How long the quickstart's chain takes, and where: run, first process, last step, first served token.

    python benchmarks/chain_latency.py [--json FILE]

The chain runs once with its gates, from an empty state folder. Times are wall-clock seconds on this machine.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

REPOSITORY = Path(__file__).parents[1]
SWIFTLET = Path(sys.executable).with_name("swiftlet")


def first_trainer_process(engine: subprocess.Popen[bytes]) -> float:
    """Seconds (epoch) at which the first `python -m swiftlet_trainer` below the engine was created."""
    parent = psutil.Process(engine.pid)
    while engine.poll() is None:
        for child in parent.children(recursive=True):
            try:
                if "swiftlet_trainer" in child.cmdline() and child.exe() == psutil.Process().exe():
                    return float(child.create_time())
            except psutil.Error:
                continue
        time.sleep(0.01)
    raise RuntimeError("the engine ended before a trainer process started")


def instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def read(state: Path, kind: str) -> dict[str, Any]:
    done = subprocess.run(
        [str(SWIFTLET), "get", kind, "bird", "-o", "json", "--state", str(state)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def ready_at(deployment: dict[str, Any]) -> float:
    """When the deployment became Ready, read from the newest transition that any condition keeps."""
    return max(instant(c["lastTransitionTime"]) for c in deployment["status"]["conditions"])


def measure(state: Path) -> dict[str, float]:
    """Run the chain below `state` and return seconds by name."""
    begin = time.time()
    engine = subprocess.Popen(
        [str(SWIFTLET), "run", str(REPOSITORY / "examples/quickstart"), "--state", str(state), "--keep"],
        stdout=subprocess.DEVNULL,
    )
    try:
        first = first_trainer_process(engine)
        while (deployment := read_or_none(state)) is None:
            if engine.poll() is not None:
                raise RuntimeError(f"the chain ended with exit code {engine.returncode}; run it by hand to see why")
            time.sleep(0.5)
    finally:
        engine.terminate()
        engine.wait(timeout=120)
    (history,) = state.glob("volumes/swiftlet-artifacts/default/finetunejobs/bird-*/events.jsonl")
    steps = [json.loads(line) for line in history.read_text().splitlines()]
    last_step = max(instant(event["time"]) for event in steps if event["type"] == "progress")
    evaluation = read(state, "evr")["status"]
    served = ready_at(deployment)
    return {
        "run to first trainer process": first - begin,
        "run to last training step": last_step - begin,
        "evaluation": instant(evaluation["completionTime"]) - instant(evaluation["startTime"]),
        "server start (vLLM) to first token of every name": served - instant(evaluation["completionTime"]),
        "last training step to first served token": served - last_step,
        "whole chain": served - begin,
    }


def read_or_none(state: Path) -> dict[str, Any] | None:
    """The deployment once it is Ready."""
    try:
        deployment = read(state, "mdep")
    except subprocess.CalledProcessError:
        return None
    conditions = {c["type"]: c["status"] for c in deployment.get("status", {}).get("conditions", [])}
    return deployment if conditions.get("Ready") == "True" else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder) / "state")
    for name, seconds in figures.items():
        print(f"{name:<50} {seconds:8.1f} s")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
