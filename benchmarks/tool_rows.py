"""Preparation of rows with tools beside ms-swift: the same 20,000 conversations, written, weighed and tokenized.

    python benchmarks/tool_rows.py [--rows 20000] [--rounds 2]

Both write tools by react_en, weigh answers by react, and leave tokens, labels and weights in files. ms-swift runs with
one process and with one for each core; here one process prepares, and the tokenizer takes all cores. Programs run in
turn; libraries and the tokenizer are loaded before the clock starts.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from claim.rows import files
from real_tokenizers import saved, smollm2
from swiftlet_trainer.garbage import collect_rarely
from tool_rows_peer import processor
from training_environments import python_of, versions

GOAL = 10
HERE = Path(__file__).parent


def spoken(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of claim.rows in the form of ms-swift's files, which both programs read."""
    messages: list[dict[str, str]] = []
    for turn in row["messages"]:
        role = "tool_response" if turn["role"] == "tool" else turn["role"]
        messages.append({"role": role, "content": turn["content"]})
        for call in turn.get("tool_calls", ()):
            function = call["function"]
            said = {"name": function["name"], "arguments": json.loads(function["arguments"])}
            messages.append({"role": "tool_call", "content": json.dumps(said, ensure_ascii=False)})
    return {"tools": json.dumps(row["tools"], ensure_ascii=False), "messages": messages}


def measure(model: str, rows: str) -> dict[str, Any]:
    """Prepare in this process; the figures that the peer prints."""
    from swiftlet.wire.documents import TrainDocument
    from swiftlet_trainer.data.prepare import prepare
    from swiftlet_trainer.models.loading import load_tokenizer

    document = TrainDocument.model_validate(
        {
            **{"name": "bench", "namespace": "default", "uid": "1", "nodes": 1, "processesPerNode": 1},
            "model": {"uri": "hf://HuggingFaceTB/SmolLM2-135M-Instruct", "path": model},
            "datasets": [{"uri": "rows.jsonl", "path": rows}],
            "template": {"maxLength": 2048, "agentTemplate": "react_en", "lossScale": ["react"]},
            **{"task": {}, "tuner": {"lora": {}}, "training": {}, "checkpoints": {}, "strategy": "ddp"},
            **{"perDeviceBatchSize": 1, "gradientAccumulationSteps": 1, "useGpu": False},
            **{"outputDir": str(Path("out").absolute()), "artifactUri": "pvc://bench/artifact"},
        }
    )
    tokenizer = load_tokenizer(document.model)
    start, before = time.perf_counter(), processor()
    prepared = prepare(document, tokenizer)
    figures = {"seconds": time.perf_counter() - start, "processor": processor() - before}
    return {**figures, "rows": len(prepared.train), "tokens": prepared.counts.tokens}


def run(command: Sequence[str]) -> dict[str, Any]:
    """What a program measures, in a new folder and with caches of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        caches = dict.fromkeys(("HF_HOME", "HF_DATASETS_CACHE", "MODELSCOPE_CACHE"), f"{scratch}/cache")
        done = subprocess.run(command, cwd=scratch, env={**os.environ, **caches}, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def ways(model: Path, rows: Path) -> dict[str, list[str]]:
    """Name -> command."""
    peer = [python_of("ms-swift"), str(HERE / "tool_rows_peer.py"), str(model), str(rows)]
    cores = len(os.sched_getaffinity(0))
    return {
        "swiftlet": [sys.executable, __file__, "--one", str(model), str(rows)],
        "ms-swift, 1 process": [*peer, "1"],
        f"ms-swift, {cores} processes": [*peer, str(cores)],
    }


def table(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """A line for each program, by medians, and what it takes as many times as we do."""
    own = {name: median(one[name] for one in found["swiftlet"]) for name in ("seconds", "processor")}
    lines = [f"{'program':24}{'rows':>8}{'tokens':>11}{'seconds':>9}{'rows/s':>8}{'x':>7}{'processor s':>13}{'x':>7}"]
    ratios = {}
    for name, rounds in found.items():
        seconds, processor_s = (median(one[key] for one in rounds) for key in own)
        ratios[name] = (seconds / own["seconds"], processor_s / own["processor"])
        rows, tokens = rounds[0]["rows"], rounds[0]["tokens"]
        figures = f"{rows:8,}{tokens:11,}{seconds:9.1f}{rows / seconds:8,.0f}{ratios[name][0]:7.1f}"
        lines.append(f"{name:24}{figures}{processor_s:13.1f}{ratios[name][1]:7.1f}")
    for what, each in zip(("seconds", "processor time"), zip(*ratios.values(), strict=True), strict=True):
        least = min(each[1:])  # the first is ours
        is_met = "met" if least >= GOAL else "MISSED"
        lines.append(f"goal: >= {GOAL} x ms-swift at its fastest, by {what}: {least:.1f}: {is_met}")
    return "\n".join(lines)


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--one", nargs=2, metavar=("MODEL", "ROWS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        collect_rarely()  # as the trainer's own process
        print(json.dumps(measure(*given.one)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        model, rows = saved(smollm2(Path(scratch)), Path(scratch) / "model"), Path(scratch) / "rows.jsonl"
        made = files(given.rows, 0, seed=1)["train"]
        rows.write_text("".join(json.dumps(spoken(row), ensure_ascii=False) + "\n" for row in made))
        found: dict[str, list[dict[str, Any]]] = {}
        for _ in range(given.rounds):
            for name, command in ways(model, rows).items():
                print(f"{given.rows:,} rows, {name}", file=sys.stderr, flush=True)
                found.setdefault(name, []).append(run(command))
        print(f"{table(found)}\n\n{rows.stat().st_size / 2**20:.1f} MiB of rows; medians of {given.rounds} rounds")
    print(f"ms-swift's environment: {versions('ms-swift')}")
    print(f"its settings, defaults apart: {json.dumps(found['ms-swift, 1 process'][0]['settings'])}")


if __name__ == "__main__":
    main()
