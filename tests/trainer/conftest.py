"""Whole training runs on a model of two layers with the real tokenizer: in this process, or as a pod runs them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from swiftlet.api.v1alpha1.tasks import Task as TrainTask
from swiftlet.wire.documents import TrainDocument
from swiftlet_trainer.training.stopping import StopRequest
from testbed.training_processes import train_together

HOUR = 3600
ALL_TOKENS, FEW_TOKENS = 49152, 2048


@pytest.fixture(scope="session")
def all_tokens(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama of two layers in fp32, with the tokenizer of SmolLM2."""
    return random_llama(tmp_path_factory.mktemp("models") / "tiny", smollm2, ALL_TOKENS)


@pytest.fixture(scope="session")
def few_tokens(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the tokenizer's first tokens alone: of all of them, logits are most of what a step computes."""
    folder = random_llama(tmp_path_factory.mktemp("models") / "tiny", smollm2, FEW_TOKENS)
    file = folder / "tokenizer.json"
    tokenizer = json.loads(file.read_text())
    # Ids follow the order of merges, whose parts come first.
    kept = {token: number for token, number in tokenizer["model"]["vocab"].items() if number < FEW_TOKENS}
    merges = [pair for pair in tokenizer["model"]["merges"] if "".join(pair) in kept]
    tokenizer["model"] |= {"vocab": kept, "merges": merges}
    file.write_text(json.dumps(tokenizer))
    return folder


@pytest.fixture(scope="session")
def tiny_model(few_tokens: Path) -> Path:
    """The model that runs begin with; files that need rare tokens put the other one in its place."""
    return few_tokens


def random_llama(folder: Path, smollm2: Path, tokens: int) -> Path:
    """Write a Llama of two layers in fp32, of so many tokens, beside the tokenizer of SmolLM2."""
    import shutil

    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=tokens,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    for file in smollm2.iterdir():
        if file.name.startswith(("tokenizer", "special_tokens", "chat_template", "vocab", "merges")):
            shutil.copy(file, folder)
    return folder


class StopAfter(StopRequest):
    """A SIGTERM that arrives when it has been asked for so often: once in each step, and in each batch of a reference
    pass."""

    def __init__(self, asked: int) -> None:
        self._left = asked

    @property
    def requested(self) -> bool:  # type: ignore[override]
        self._left -= 1
        return self._left <= 0


@dataclass
class Pod:
    """A folder that stands for the file system of a pod."""

    root: Path

    @property
    def output(self) -> Path:
        return self.root / "swiftlet" / "artifacts" / "bird"

    def write_job(self, model: Path, /, **changes: Any) -> TrainDocument:
        """A job of 20 short chats; `changes` are blocks or fields of the document."""
        task = TrainTask.model_validate(changes.get("task", {}))
        if task.embedding or task.reranker:
            row_of = relevance_row if task.embedding else compared_row
        else:
            row_of = judged_row if task.kto else pair_row if task.sequences > 1 else chat_row
        rows = [row_of(number) for number in range(20)]
        data = self.root / "swiftlet" / "data" / "0" / "rows.jsonl"
        data.parent.mkdir(parents=True, exist_ok=True)
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        models = self.root / "swiftlet" / "models" / "tiny"
        models.parent.mkdir(parents=True, exist_ok=True)
        if not models.exists():
            models.symlink_to(model)
        training = {"globalBatchSize": 4, "maxSteps": 6, "learningRate": 1e-2, "precision": "fp32"}
        fields: dict[str, Any] = {
            "name": "bird",
            "namespace": "default",
            "uid": "1",
            "model": {"uri": "hf://org/tiny", "path": "/swiftlet/models/tiny"},
            "datasets": [{"uri": "rows.jsonl", "path": "/swiftlet/data/0/rows.jsonl"}],
            "task": {},
            "tuner": {"lora": {"rank": 4}},
            "template": {"maxLength": 256},
            "checkpoints": {"intervalSteps": 2, "keep": 10},
            "nodes": 1,
            "processesPerNode": 1,
            "strategy": "ddp",
            "perDeviceBatchSize": 4,
            "gradientAccumulationSteps": 1,
            "useGpu": False,
            "outputDir": "/swiftlet/artifacts/bird",
            "artifactUri": "pvc://artifacts/bird/artifact",
        }
        fields |= changes | {"training": training | changes.get("training", {})}
        document = TrainDocument.model_validate(fields)
        job = self.root / "swiftlet" / "job" / "job.json"
        job.parent.mkdir(parents=True, exist_ok=True)
        job.write_text(json.dumps(document.document()))
        return document

    def prepare(self) -> None:
        """Tokenize in this process."""
        from swiftlet_trainer.verbs.prepare import run

        assert run("/swiftlet/job/job.json") == 0

    def train_here(self, stop: StopRequest | None = None, stop_after: int | None = None) -> None:
        """Train in this process, which is then the only one of the run."""
        from swiftlet_trainer.training.run import run_training

        asked = StopAfter(stop_after) if stop_after else StopRequest()
        run_training("/swiftlet/job/job.json", stop or asked)

    def train_together(self) -> None:
        """Train in the two processes of the job's node, without torchrun."""
        assert train_together("/swiftlet/job/job.json", os.environ) == [0, 0]

    def progress(self) -> list[dict[str, Any]]:
        """What the run has told of itself, line by line."""
        return [json.loads(line) for line in (self.root / "swiftlet/run/progress.jsonl").read_text().splitlines()]

    def start(self, **environment: str) -> subprocess.Popen[str]:
        """`swiftlet_trainer train`, as the container runs it."""
        return subprocess.Popen(
            [sys.executable, "-m", "swiftlet_trainer", "train"],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def train(self, **environment: str) -> tuple[int, str]:
        """Run `train` to its end; returns the exit code and the log."""
        process = self.start(**environment)
        log, _ = process.communicate(timeout=600)
        return process.returncode, log

    def wait_for_step(self, step: int) -> None:
        """Until the run's history has so many steps."""
        history, end = self.output / "events.jsonl", time.monotonic() + 300
        while not (history.is_file() and len(history.read_text().splitlines()) >= step):
            assert time.monotonic() < end, f"step {step} is not reached"
            time.sleep(0.02)

    def termination(self) -> dict[str, Any]:
        return json.loads((self.root / "dev" / "termination-log").read_text())

    def losses(self) -> dict[int, str]:
        """Loss of each step at full precision."""
        return self.figures("loss")

    def figures(self, name: str) -> dict[int, str]:
        """The figure of each step that has it."""
        lines = [json.loads(line) for line in (self.output / "events.jsonl").read_text().splitlines()]
        assert len({line["step"] for line in lines}) == len(lines), "a step is in the history twice"
        return {line["step"]: line[name] for line in lines if name in line}

    def curve(self, name: str = "loss") -> list[float]:
        """The same as numbers, in order."""
        return [float(value) for value in self.figures(name).values()]

    def checkpoints(self) -> list[str]:
        return sorted(path.name for path in (self.output / "checkpoints").iterdir())


def chat_row(number: int) -> dict[str, Any]:
    """A chat whose length depends on its number."""
    question = " ".join(["Where does the swift sleep?"] * (1 + number % 3))
    answer = f"It sleeps on the wing, {number} hours a day." + " Truly." * (number % 7)
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def pair_row(number: int) -> dict[str, Any]:
    """A question with two answers of other lengths."""
    (question, answer) = (turn["content"] for turn in chat_row(number)["messages"])
    return {"prompt": question, "chosen": answer, "rejected": f"Nobody knows, {number} times." * (1 + number % 2)}


def judged_row(number: int) -> dict[str, Any]:
    """A question with a good answer or a bad one, of any length."""
    (question, answer) = (turn["content"] for turn in chat_row(number)["messages"])
    is_good = number % 2 == 0
    bad = f"Nobody knows, {number} times." * (1 + number % 4)
    return {"prompt": question, "completion": answer if is_good else bad, "label": is_good}


def relevance_row(number: int) -> dict[str, Any]:
    """A question, what answers it and, now and then, what does not."""
    (question, answer) = (turn["content"] for turn in chat_row(number)["messages"])
    row = {"query": f"{question} Number {number}?", "positive": answer}
    return {**row, "negative": f"Nobody knows, {number} times."} if number % 3 else row


def compared_row(number: int) -> dict[str, Any]:
    """A question, what answers it and what does not."""
    return {**relevance_row(number), "negative": f"Nobody knows, {number} times."}


@pytest.fixture
def make_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Pod]:
    """Makes pods by name; the newest one is the one that paths are opened in."""

    def make(name: str = "pod") -> Pod:
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        monkeypatch.setenv("SWIFTLET_ROOT", str(root))
        monkeypatch.setenv("SWIFTLET_PROGRESS_FILE", "/swiftlet/run/progress.jsonl")
        return Pod(root)

    return make


@pytest.fixture(scope="session")
def chat_adapter(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact of the FineTuneJob default/sft: an adapter of four steps on the chats."""
    made = Pod(tmp_path_factory.mktemp("sft"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWIFTLET_ROOT", str(made.root))
        patch.setenv("SWIFTLET_PROGRESS_FILE", "/swiftlet/run/progress.jsonl")
        made.write_job(tiny_model, name="sft", training={"maxSteps": 4})
        made.prepare()
        made.train_here()
    return made.output / "artifact"


@pytest.fixture
def pod(make_pod: Callable[[str], Pod], tiny_model: Path) -> Pod:
    """A pod whose job trains the tiny model for six steps, its data prepared."""
    made = make_pod("pod")
    made.write_job(tiny_model)
    made.prepare()
    return made


@pytest.fixture
def trained(make_pod: Callable[[str], Pod], tiny_model: Path) -> Callable[..., Pod]:
    """Trains some steps in this process; `rate` is the learning rate."""

    def run(name: str, task: Any, rate: float = 1e-2, steps: int = 6, model: Path = tiny_model, **changes: Any) -> Pod:
        pod = make_pod(name)
        training = {"learningRate": rate, "maxSteps": steps, **changes.pop("training", {})}
        pod.write_job(model, task=task, training=training, **changes)
        pod.prepare()
        pod.train_here()
        return pod

    return run
