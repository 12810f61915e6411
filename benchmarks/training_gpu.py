"""Training speed on a GPU beside TRL: `python benchmarks/training_gpu.py [--quick] [--ways NAME …] [--json FILE]`.

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

from training_gpu_report import PEAK_FLOPS, SHAPES, needed_flops, table, warm_speed
from training_rows import chats, write_job
from training_runs import Figures, RunError, Task, settings_of
from training_ways import Way

LENGTH, SEQUENCES = 4096, 4
FLASH = "flash_attention_2"
WAYS = {
    "trl": Way("TRL", "swiftlet", "trl", packed=True, attention="sdpa"),
    "trl-flash": Way("TRL, flash attention", "swiftlet", "trl", packed=True, attention=FLASH),
    "trl-liger": Way("TRL, flash, Liger", "swiftlet", "trl", packed=True, attention=FLASH, liger=True),
    "trl-compiled": Way("TRL, flash, compiled", "swiftlet", "trl", packed=True, attention=FLASH, compiled=True),
    "plain": Way("swiftlet, no kernels", "swiftlet", "swiftlet", packed=True, instead=(("liger", False),)),
    "liger": Way("swiftlet, Liger", "swiftlet", "swiftlet", packed=True, instead=(("liger", True),)),
    "compiled": Way(
        "swiftlet, compiled", "swiftlet", "swiftlet", packed=True, compiled=True, instead=(("liger", False),)
    ),
}


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
                traceback.print_exc()
                raise

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
    for name in (
        *(
            "torch",
            "transformers.models.llama.modeling_llama",
            "peft",
            "trl",
            "datasets",
            "swiftlet_trainer.training.sft",
        ),
        *("swiftlet_trainer.training.run", "swiftlet_trainer.training.model", "swiftlet_trainer.verbs.prepare"),
    ):
        importlib.import_module(name)


def main() -> None:
    """Measure and print. A way that fails is said to have failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep every run's figures here, after each run")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep what the runs print here")
    parser.add_argument("--rows", type=int, default=1000, help="rows of an epoch")
    parser.add_argument("--sequences", type=int, default=SEQUENCES, help="packed sequences of a step")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3600.0, help="start no run after so many seconds")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS), metavar="NAME")
    parser.add_argument("--shape", choices=list(SHAPES), default="1b")
    parser.add_argument("--tokenizer", type=Path, help="folder; the quickstart's model when absent")
    arguments = parser.parse_args()
    began = time.monotonic()
    import_all()
    print(f"imports took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    tokenizer = arguments.tokenizer
    if tokenizer is None:
        from swiftlet_trainer.models.smollm2 import folder

        tokenizer = folder()
    runs: dict[str, list[Figures]] = {name: [] for name in arguments.ways}
    with tempfile.TemporaryDirectory() as kept:
        scratch = Path(kept)
        logs = arguments.logs or scratch
        device = in_fork(logs / "model.log", lambda: make_model(arguments.shape, tokenizer, scratch / "model"))
        task = Task(rows=arguments.rows, length=LENGTH, packed_batch=arguments.sequences, mean_log=5.0, longest=2500)
        task = replace(task, gpu=device != "cpu", model=str(scratch / "model"))
        for number in range(arguments.rounds):
            for name in [name for name in runs if len(runs[name]) == number]:
                if time.monotonic() - began > arguments.seconds:
                    break
                try:
                    runs[name].append(measure(scratch, WAYS[name], task, logs))
                except RunError as error:
                    print(f"{WAYS[name].title}: failed: {error}", file=sys.stderr, flush=True)
                    continue
                spent = time.monotonic() - began
                said = f"{warm_speed(runs[name][-1]):.0f} tokens/s, {runs[name][-1]['peak_mib']:.0f} MiB"
                print(f"[{spent:.0f} s] {WAYS[name].title}: {said}", file=sys.stderr, flush=True)
                if arguments.json:
                    arguments.json.write_text(json.dumps({"device": device, "runs": runs}, indent=2))
        tokens = prepared(scratch, WAYS["trl"], task) / "tokens.jsonl"
        rows = [json.loads(line) for line in tokens.read_text().splitlines()]
    counted = sum(len(row["input_ids"]) for row in rows)
    flops = needed_flops(arguments.shape, rows) / counted
    print(table(runs, WAYS, flops, next((value for part, value in PEAK_FLOPS.items() if part in device), None)))
    print(f"{device}; {flops / 1e9:.2f} GFLOP per token; {len(rows)} rows, {counted} tokens")


if __name__ == "__main__":
    main()
