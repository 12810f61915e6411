"""Training speed on a GPU beside TRL: `python benchmarks/training_gpu.py [--ways NAME …] [--json FILE]`.

LoRA (rank 16, all linear layers) on a model of 1.2 billion parameters: the shape of Llama 3.2 1B with random weights,
since speed does not depend on what they are, and the quickstart's tokenizer. Generated chats with masked prompts,
packed to 4096 tokens, bf16. TRL packs too, with flash attention and with or without Liger's kernels. Each run is a
process of its own, forked from one that has imported everything, since time on a GPU is dear; the ways take turns. The
first steps, in which kernels are compiled and chosen, do not count.
"""

import argparse
import importlib
import json
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from training_gpu_report import PEAK_FLOPS, SHAPES, goals, needed_flops, rounds, table, warm_speed
from training_rows import chats, write_job
from training_runs import Figures, RunError, Task, peer_settings, settings_of
from training_ways import Way

LENGTH, SEQUENCES = 4096, 4
FLASH = "flash_attention_2"
WAYS = {
    "trl": Way("TRL", "swiftlet", "trl", packed=True, attention="sdpa"),
    "trl-flash": Way("TRL, flash attention", "swiftlet", "trl", packed=True, attention=FLASH),
    "trl-liger": Way("TRL, flash, Liger", "swiftlet", "trl", packed=True, attention=FLASH, liger=True),
    "trl-compiled": Way("TRL, flash, compiled", "swiftlet", "trl", packed=True, attention=FLASH, compiled=True),
    "plain": Way("swiftlet, no Liger", "swiftlet", "swiftlet", packed=True, instead=(("liger", False),)),
    "liger": Way("swiftlet, Liger", "swiftlet", "swiftlet", packed=True, instead=(("liger", True),)),
    "compiled": Way(
        "swiftlet, compiled", "swiftlet", "swiftlet", packed=True, compiled=True, instead=(("liger", False),)
    ),
}
USUAL = ("trl-flash", "trl-liger", "plain", "liger", "compiled")
"""Ways that are measured when none is named: of TRL's, those that are fast."""
IMPORTED = (
    *("torch", "transformers.models.llama.modeling_llama", "peft", "trl", "datasets"),
    *("swiftlet_trainer.training.trainer", "swiftlet_trainer.training.run", "swiftlet_trainer.training.model"),
    "swiftlet_trainer.verbs.prepare",
)


def make_model(shape: str, tokenizer: Path, folder: Path) -> str:
    """A model with random weights in bf16, and the tokenizer beside it; the name of the GPU, or cpu."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(**SHAPES[shape], bos_token_id=1, eos_token_id=2, pad_token_id=2)
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
    for file in tokenizer.iterdir():
        if file.name.startswith(("tokenizer", "special_tokens", "chat_template", "vocab", "merges")):
            shutil.copy(file, folder)
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def in_fork(log: Path, work: Callable[[], Any]) -> Any:
    """What `work` returns in a process of its own that has what is imported here; its output goes to `log`.

    Raises RunError with the last line of the output when it fails.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def child() -> None:
        with log.open("w") as file:
            for stream in (1, 2):
                os.dup2(file.fileno(), stream)
            try:
                sender.send(work())
            except BaseException:
                traceback.print_exc(file=file)
                sys.exit(1)

    process = context.Process(target=child)
    process.start()
    sender.close()
    try:
        found = receiver.recv()
    except EOFError:
        found = None
    process.join()
    if found is None and process.exitcode:
        raise RunError((log.read_text(errors="replace").strip().splitlines() or ["no output"])[-1][:300])
    return found


def prepared(scratch: Path, way: Way, task: Task) -> Path:
    """A folder with the job and its rows, made once; the peers take token ids and labels, and pack them themselves."""
    ours = way.program == "swiftlet"
    folder = scratch / (f"prepared-compiled-{way.compiled}" if ours else "prepared-plain")
    if not folder.exists():
        plain = {} if ours else {"packed": False, "compiled": False}
        rows = chats(task.rows, mean_log=task.mean_log, longest=task.longest)
        write_job(folder, rows, {**settings_of(way, task), **plain})

        def work() -> None:
            import training_ours

            settle(folder)
            if training_ours.prepare():
                raise RunError("the rows could not be prepared")
            if not ours:
                training_ours.write_tokens(Path("tokens.jsonl"))

        in_fork(scratch / "prepare.log", work)
    return folder


def settle(folder: Path) -> None:
    """Make `folder` the one of this process's run."""
    os.chdir(folder)
    os.environ.update(SWIFTLET_ROOT=str(folder), SWIFTLET_PROGRESS_FILE="/progress.jsonl")
    os.environ["BENCH_STARTED"] = repr(time.time())


def measure(scratch: Path, way: Way, task: Task, logs: Path) -> Figures:
    """Train in another process. Raises RunError."""
    settings = settings_of(way, task)
    folder = scratch / "run"
    shutil.copytree(prepared(scratch, way, task), folder, symlinks=True)
    (folder / "run.json").write_text(json.dumps(settings))

    def work() -> Figures:
        import training_ours
        import training_peer

        settle(folder)
        return training_ours.train() if way.program == "swiftlet" else training_peer.train(settings)

    try:
        figures: Figures = in_fork(logs / f"{way.title.replace(' ', '-')}.log", work)
    finally:
        shutil.rmtree(folder)
    return {**figures, "tokens_per_second": figures["tokens"] / figures["seconds"]}


def import_all() -> None:
    """What any of the trainers imports, without touching the GPU."""
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TRL_EXPERIMENTAL_SILENCE="1")
    # Asking CUDA itself would keep forks from using it.
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"
    for name in IMPORTED:
        importlib.import_module(name)


def options() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep every run's figures here, after each run")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep what the runs print here")
    parser.add_argument("--rows", type=int, default=1000, help="rows of an epoch")
    parser.add_argument("--sequences", type=int, default=SEQUENCES, help="packed sequences of a step")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3600.0, help="start no run after so many seconds")
    listed = f"of {', '.join(WAYS)}"
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=USUAL, metavar="NAME", help=listed)
    parser.add_argument("--shape", choices=list(SHAPES), default="1b")
    parser.add_argument("--tokenizer", type=Path, help="folder; the quickstart's model when absent")
    return parser.parse_args()


class Session:
    """Runs one after the other; each is said on stderr, and kept."""

    def __init__(self, asked: argparse.Namespace, scratch: Path) -> None:
        self._asked, self._scratch = asked, scratch
        self._logs = asked.logs or scratch
        self._began = time.monotonic()
        self.runs: dict[str, list[Figures]] = {name: [] for name in asked.ways}
        import_all()
        model = scratch / "model"
        self.device: str = in_fork(self._logs / "model.log", lambda: make_model(asked.shape, self._tokenizer(), model))
        task = Task(rows=asked.rows, length=LENGTH, packed_batch=asked.sequences, mean_log=5.0, longest=2500)
        self._task = replace(task, gpu=self.device != "cpu", model=str(model))

    def _tokenizer(self) -> Path:
        if self._asked.tokenizer:
            return Path(self._asked.tokenizer)
        from swiftlet_trainer.models.smollm2 import folder

        return folder()

    def measure_all(self) -> None:
        """Every way in turn. One that failed is left out from then on."""
        for number in range(self._asked.rounds):
            for name in [name for name in self.runs if len(self.runs[name]) == number]:
                if time.monotonic() - self._began < self._asked.seconds:
                    self._measure(name)

    def _measure(self, name: str) -> None:
        try:
            figures = measure(self._scratch, WAYS[name], self._task, self._logs)
            self.runs[name].append(figures)
            said = f"{warm_speed(figures):.0f} tokens/s, {figures['peak_mib']:.0f} MiB"
        except RunError as error:
            said = f"failed: {error}"
        print(f"[{time.monotonic() - self._began:.0f} s] {WAYS[name].title}: {said}", file=sys.stderr, flush=True)
        if self._asked.json:
            kept = {"device": self.device, "runs": self.runs}
            self._asked.json.write_text(json.dumps(kept, indent=2))

    def settings(self) -> str:
        """What the peers were set to."""
        peers = [WAYS[name] for name in self.runs if WAYS[name].program != "swiftlet"]
        lines = [f"  {way.title}: {json.dumps(peer_settings(way, self._task))}" for way in peers]
        return "\n".join(["settings of the peers, defaults apart:", *lines]) if peers else ""

    def rows(self) -> list[dict[str, Any]]:
        """Token ids and labels of what was learnt, row by row."""
        tokens = prepared(self._scratch, WAYS["trl"], self._task) / "tokens.jsonl"
        return [json.loads(line) for line in tokens.read_text().splitlines()]


def main() -> None:
    """Measure and print. A way that fails is said to have failed; a goal missed is said to be missed."""
    asked = options()
    with tempfile.TemporaryDirectory() as scratch:
        session = Session(asked, Path(scratch))
        session.measure_all()
        rows = session.rows()
    tokens = sum(len(row["input_ids"]) for row in rows)
    flops = needed_flops(asked.shape, rows) / tokens
    peak = next((value for part, value in PEAK_FLOPS.items() if part in session.device), None)
    found = (session.runs, WAYS)
    about = f"{session.device}; {flops / 1e9:.2f} GFLOP per token; {len(rows)} rows, {tokens} tokens"
    parts = [table(*found, flops, peak), rounds(*found), goals(*found, flops, peak), about, session.settings()]
    print("\n\n".join(part for part in parts if part))


if __name__ == "__main__":
    main()
