"""The rows that every trainer of the benchmark learns from, and what each of them reads them as."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

WORDS = Path(__file__).parent.parent / "examples" / "quickstart" / "data" / "general-text.jsonl"
MODEL = "hf://HuggingFaceTB/SmolLM2-135M-Instruct"
BATCH, MAX_LENGTH, RANK, RATE = 4, 512, 16, 1e-4
JOB = "/swiftlet/job/job.json"


def chats(
    count: int, words_each: int | None = None, seed: int = 0, mean_log: float = 3.6, longest: int = 250
) -> list[dict[str, Any]]:
    """Questions of 5 to 60 words and answers of mixed length, most short, some long; or answers of `words_each`.

    mean_log: of the logarithm of an answer's words. longest: words of an answer.
    """
    generator = random.Random(seed)
    words = " ".join(json.loads(line)["text"] for line in WORDS.read_text().splitlines()).split()
    words *= 1 + max(words_each or 0, longest) // len(words) * 2

    def turn(role: str, length: int) -> dict[str, str]:
        start = generator.randrange(len(words) - length)
        return {"role": role, "content": " ".join(words[start : start + length])}

    rows = []
    for _ in range(count):
        question, answer = generator.randint(5, 60), min(longest, int(generator.lognormvariate(mean_log, 0.9)) + 3)
        rows.append({"messages": [turn("user", question), turn("assistant", words_each or answer)]})
    return rows


def pairs(count: int, **drawn: Any) -> list[dict[str, Any]]:
    """Questions as `chats` has them, each with two answers of mixed length; the first is the chosen one."""
    asked, others = chats(count, seed=0, **drawn), chats(count, seed=1, **drawn)
    return [
        {
            "prompt": one["messages"][:1],
            "chosen": one["messages"][1:],
            "rejected": other["messages"][1:],
        }
        for one, other in zip(asked, others, strict=True)
    ]


def answers(count: int, **drawn: Any) -> list[dict[str, Any]]:
    """Single answers, good and bad ones in turn: of `pairs`, each row's chosen one and its rejected one."""
    return [
        {"prompt": row["prompt"], "completion": row[kind], "label": kind == "chosen"}
        for row in pairs((count + 1) // 2, **drawn)
        for kind in ("chosen", "rejected")
    ][:count]


def texts(count: int, **drawn: Any) -> list[dict[str, Any]]:
    """The questions of `chats`, each with its answer as the text that is close to it."""
    turns = [row["messages"] for row in chats(count, **drawn)]
    return [{"anchor": asked["content"], "positive": answer["content"]} for asked, answer in turns]


ROWS: dict[str, Callable[..., list[dict[str, Any]]]] = {
    **{"sft": chats, "dpo": pairs, "orpo": pairs, "rm": pairs},
    **{"kto": answers, "embedding": texts},
}
"""Rows of each method, by its block of spec.task."""


def write_job(root: Path, rows: list[dict[str, Any]], settings: dict[str, Any]) -> None:
    """The job document and data of one of our ways, in a pod's folder `root` of its own."""
    from swiftlet.wire.documents import TrainDocument

    for name in ("job", "data/0", "models"):
        (root / "swiftlet" / name).mkdir(parents=True)
    (root / "swiftlet/models/base").symlink_to(settings["model"])
    (root / "swiftlet/data/0/rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    batch = settings["packed_batch"] if settings["packed"] else settings["batch"]
    training = {"globalBatchSize": batch, "learningRate": RATE, "precision": settings["precision"]}
    training |= {"epochs": settings["epochs"], "torchCompile": settings["compiled"]}
    if settings["constant_rate"]:
        training |= {"lrScheduler": "constant", "warmupRatio": 0}
    document = TrainDocument.model_validate(
        {
            **{"name": "bench", "namespace": "default", "uid": "1", "nodes": 1, "processesPerNode": 1},
            **{"model": {"uri": MODEL, "path": "/swiftlet/models/base"}, "strategy": "ddp"},
            "task": {settings["method"]: {}},
            "datasets": [{"uri": "rows.jsonl", "path": "/swiftlet/data/0/rows.jsonl"}],
            "tuner": {"full": {}} if settings["tuner"] == "full" else {"lora": {"rank": RANK}},
            "template": {
                "maxLength": settings["length"],
                "packing": settings["packed"],
                "truncation": "truncate",
            },
            "training": training,
            "checkpoints": {"intervalSteps": 1_000_000},
            **{"perDeviceBatchSize": batch, "gradientAccumulationSteps": 1, "useGpu": settings["gpu"]},
            **{"outputDir": "/swiftlet/artifacts/bench", "artifactUri": "pvc://artifacts/bench"},
        }
    )
    (root / JOB.lstrip("/")).write_text(json.dumps(document.document()))


def write_tokens(file: Path) -> int:
    """Token ids and labels of the rows that `prepare` left for this process's pod, as JSON lines; tokens in all."""
    from swiftlet.wire.documents import TrainDocument
    from swiftlet_trainer.data.prepared import open_prepared
    from swiftlet_trainer.document import load_document

    train = open_prepared(load_document(JOB, TrainDocument)).train
    with file.open("w") as out:
        for row in train.select_columns(["input_ids", "labels"]):
            out.write(json.dumps(row) + "\n")
    return int(sum(train["length"]))
