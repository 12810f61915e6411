"""Training speed beside plain TRL: `python benchmarks/training_speed.py [--json FILE] [--rows N] [--rounds N]`.

LoRA (rank 16, all linear layers) on the quickstart's model; the same generated chats, tokenized once, prompts masked;
one epoch, 4 rows per step, bf16 where the CPU multiplies it. Each run is a process of its own, and the ways take turns,
so that noise of the machine meets all of them. Useful tokens are those without padding; the time is that of the steps.
"""

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

WORDS = Path(__file__).parent.parent / "examples" / "quickstart" / "data" / "general-text.jsonl"
MODEL = "hf://HuggingFaceTB/SmolLM2-135M-Instruct"
BATCH, MAX_LENGTH, RANK, RATE = 4, 512, 16, 1e-4
WAYS = {
    "trl": "TRL SFTTrainer",
    "padded": "swiftlet, rows of like length",
    "packed": "swiftlet, packed",
}


def chats(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Questions of 5 to 60 words and answers of mixed length, most short, some long."""
    generator = random.Random(seed)
    words = " ".join(json.loads(line)["text"] for line in WORDS.read_text().splitlines()).split()

    def turn(role: str, length: int) -> dict[str, str]:
        start = generator.randrange(len(words) - length)
        return {"role": role, "content": " ".join(words[start : start + length])}

    rows = []
    for _ in range(count):
        question, answer = generator.randint(5, 60), min(250, int(generator.lognormvariate(3.6, 0.9)) + 3)
        rows.append({"messages": [turn("user", question), turn("assistant", answer)]})
    return rows


def write_job(root: Path, way: str, rows: int) -> None:
    """The job document and data of one way, in a pod's folder of its own."""
    from swiftlet.api.job import TrainDocument
    from swiftlet_trainer.models.smollm2 import folder

    for name in ("job", "data/0", "models"):
        (root / "swiftlet" / name).mkdir(parents=True)
    (root / "swiftlet/models/base").symlink_to(folder())
    data = "".join(json.dumps(row) + "\n" for row in chats(rows))
    (root / "swiftlet/data/0/rows.jsonl").write_text(data)
    packed = way == "packed"
    document = TrainDocument.model_validate(
        {
            **{"name": "bench", "namespace": "default", "uid": "1", "nodes": 1, "processesPerNode": 1},
            **{"model": {"uri": MODEL, "path": "/swiftlet/models/base"}, "task": {}, "strategy": "ddp"},
            "datasets": [{"uri": "rows.jsonl", "path": "/swiftlet/data/0/rows.jsonl"}],
            "tuner": {"lora": {"rank": RANK}},
            "template": {"maxLength": MAX_LENGTH, "packing": packed},
            # A packed sequence of 512 tokens holds about four rows.
            "training": {"globalBatchSize": 1 if packed else BATCH, "epochs": 1, "learningRate": RATE},
            "checkpoints": {"intervalSteps": 1_000_000},
            **{"perDeviceBatchSize": 1 if packed else BATCH, "gradientAccumulationSteps": 1, "useGpu": False},
            **{"outputDir": "/swiftlet/artifacts/bench", "artifactUri": "pvc://artifacts/bench"},
        }
    )
    (root / "swiftlet/job/job.json").write_text(json.dumps(document.document()))


def train_ours() -> dict[str, Any]:
    """Run the job; the steps' time is from the event that announces them to the last step's."""
    from datetime import datetime

    from swiftlet_trainer.training.run import run_training
    from swiftlet_trainer.training.stopping import StopRequest

    run_training("/swiftlet/job/job.json", StopRequest())
    stream = Path(os.environ["SWIFTLET_ROOT"] + os.environ["SWIFTLET_PROGRESS_FILE"])
    events = [json.loads(line) for line in stream.read_text().splitlines()]
    start = next(event["time"] for event in events if event.get("message") == "training")
    last = next(event for event in reversed(events) if event["type"] == "progress")
    seconds = (datetime.fromisoformat(last["time"]) - datetime.fromisoformat(start)).total_seconds()
    return {"seconds": seconds, "loss": float(last["loss"])}


def train_trl(folder: Path, tokens: Any) -> dict[str, Any]:
    """A plain script: SFTTrainer on the same token ids and labels, at its best setting for this machine."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from peft import LoraConfig
    from swiftlet_trainer.hardware import compute_dtype, multiplies_bf16
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    torch.manual_seed(42)
    settings = SFTConfig(
        output_dir=str(folder / "trl"),
        num_train_epochs=1,
        per_device_train_batch_size=BATCH,
        learning_rate=RATE,
        max_length=MAX_LENGTH,
        bf16=multiplies_bf16(False),
        use_cpu=True,
        gradient_checkpointing=False,
        save_strategy="no",
        logging_steps=1,
        report_to="none",
        disable_tqdm=True,
    )
    model = AutoModelForCausalLM.from_pretrained(folder / "swiftlet/models/base", dtype=compute_dtype(False))
    trainer = SFTTrainer(
        model=model,
        args=settings,
        train_dataset=tokens,
        processing_class=AutoTokenizer.from_pretrained(folder / "swiftlet/models/base"),
        peft_config=LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    start = time.perf_counter()
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return {"seconds": time.perf_counter() - start, "loss": losses[-1]}


def child(way: str, root: Path) -> dict[str, Any]:
    """One way in this process, whose pod is `root`."""
    from swiftlet.api.job import TrainDocument
    from swiftlet_trainer.data.prepared import open_prepared
    from swiftlet_trainer.document import load_document

    started = time.perf_counter()
    train = open_prepared(load_document("/swiftlet/job/job.json", TrainDocument)).train
    useful = sum(train["length"])
    figures = train_trl(root, train.select_columns(["input_ids", "labels"])) if way == "trl" else train_ours()
    return {
        **figures,
        "useful_tokens": useful,
        "tokens_per_second": useful / figures["seconds"],
        "other_seconds": time.perf_counter() - started - figures["seconds"],
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def start_child(way: str, root: Path, command: str) -> dict[str, Any]:
    """Run this script again, in a process whose pod is `root`; the last line of its output."""
    from swiftlet_trainer.threads import share_cores

    share_cores()  # as the trainer's own entry point does; for all ways, so that it is no difference between them
    environment = {**os.environ, "SWIFTLET_ROOT": str(root), "SWIFTLET_PROGRESS_FILE": "/progress.jsonl"}
    (root / "progress.jsonl").unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, __file__, "--child", way, "--command", command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{way}: {command} failed\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1]) if command == "train" else {}


def run_child(way: str, command: str) -> None:
    """What `start_child` starts."""
    root = Path(os.environ["SWIFTLET_ROOT"])
    if command == "prepare":
        from swiftlet_trainer.verbs.prepare import run

        raise SystemExit(run("/swiftlet/job/job.json"))
    print(json.dumps(child(way, root)), flush=True)


def measure(rows: int, rounds: int) -> dict[str, list[dict[str, Any]]]:
    """Figures of each way in each round."""
    import shutil

    found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as scratch:
        for way in WAYS:
            write_job(Path(scratch) / way, way, rows)
            start_child(way, Path(scratch) / way, "prepare")
        for number in range(rounds):
            for way in WAYS:
                outputs = Path(scratch) / way / "swiftlet/artifacts/bench"
                for name in ("checkpoints", "artifact", "events.jsonl"):
                    path = outputs / name
                    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
                found[way].append(start_child(way, Path(scratch) / way, "train"))
                speed = found[way][-1]["tokens_per_second"]
                print(f"round {number + 1}: {WAYS[way]}: {speed:.0f} tokens/s", file=sys.stderr, flush=True)
    return found


def table(found: dict[str, list[dict[str, Any]]]) -> str:
    """Medians, and ratios within each round."""
    lines = [f"{'':32}{'useful tok/s':>13}{'x TRL (min, median, max)':>27}{'peak MiB':>10}{'start s':>9}{'loss':>7}"]
    for way, runs in found.items():
        ratios = sorted(
            run["tokens_per_second"] / trl["tokens_per_second"] for run, trl in zip(runs, found["trl"], strict=True)
        )
        middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        spread = f"{ratios[0]:.2f}, {statistics.median(ratios):.2f}, {ratios[-1]:.2f}"
        lines.append(
            f"{WAYS[way]:32}{middle['tokens_per_second']:13.0f}{spread:>27}{middle['peak_mib']:10.0f}"
            f"{middle['other_seconds']:9.1f}{middle['loss']:7.2f}"
        )
    packed = [
        run["tokens_per_second"] / plain["tokens_per_second"]
        for run, plain in zip(found["packed"], found["padded"], strict=True)
    ]
    useful = found["padded"][0]["useful_tokens"]
    lines.append(
        f"\npacked over padded: {statistics.median(packed):.2f}; {useful} useful tokens a run; "
        f"`start s` is all but the steps"
    )
    return "\n".join(lines)


def main() -> None:
    """Print the table; exit code 1 when ours is slower than TRL."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--command", choices=("prepare", "train"), default="train", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        run_child(arguments.child, arguments.command)
        return
    found = measure(arguments.rows, arguments.rounds)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n")
    print(table(found))
    ratio = statistics.median(
        run["tokens_per_second"] / trl["tokens_per_second"]
        for run, trl in zip(found["padded"], found["trl"], strict=True)
    )
    if ratio < 1:
        raise SystemExit(f"slower than TRL: {ratio:.2f}")


if __name__ == "__main__":
    main()
