"""Runs of trainers, each a process of its own in a folder of its own."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import training_environments
import training_methods_peer
import training_peer
from training_rows import BATCH, MAX_LENGTH, RANK, RATE, ROWS, write_job
from training_ways import Way

HERE = Path(__file__).parent
LONGEST_SECONDS = 900.0
"""A run that takes longer has failed."""

Figures = dict[str, Any]


class RunError(Exception):
    """A run ended with an error: the last line of what it said."""


@dataclass(frozen=True)
class Task:
    """What is learnt: the same for all ways of one table."""

    rows: int
    tuner: str = "lora"
    length: int = MAX_LENGTH
    batch: int = BATCH
    words_each: int | None = None
    """Words of each answer; mixed when absent."""
    packed_batch: int = 1
    """Packed sequences per step: one of 512 tokens holds about four rows."""
    mean_log: float = 3.6
    longest: int = 250
    """Of mixed answers, see training_rows.chats."""
    gpu: bool = False
    model: str | None = None
    """Its folder; the quickstart's when absent."""
    method: str = "sft"
    """Block of spec.task."""
    epochs: int = 1
    constant_rate: bool = False
    """The learning rate is that of the first step in all of them: schedules are not alike."""


def settings_of(way: Way, task: Task) -> dict[str, Any]:
    """Everything that a run depends on."""
    from swiftlet_trainer.models.smollm2 import folder

    return {
        **asdict(way),
        **asdict(task),
        **{"rank": RANK, "rate": RATE, "model": task.model or str(folder())},
    }


def peer_settings(way: Way, task: Task) -> dict[str, Any]:
    """What is set of `way`'s trainer, as it is shown; ours are chosen by its plan."""
    run = settings_of(way, task)
    settings = training_peer.SETTINGS | training_methods_peer.SETTINGS
    return {} if way.program == "swiftlet" else settings[way.program](run)


def measure(way: Way, task: Task, folder: Path, profiled: bool = False) -> Figures:
    """One run in `folder`, which is made and removed; `profile` has seconds by group when asked for.

    What is prepared is kept beside `folder` for the next run of the same task.
    Raises RunError, training_environments.InstallError.
    """
    python = training_environments.python_of(way.environment)
    run = settings_of(way, task)
    shutil.copytree(_prepared(folder.parent, way, task), folder, symlinks=True)
    (folder / "run.json").write_text(json.dumps(run))
    peer = "peer" if task.method == "sft" else "methods_peer"
    program, arguments = ("ours", "train") if way.program == "swiftlet" else (peer, "run.json")
    try:
        figures = _start(folder, [python, str(HERE / f"training_{program}.py"), arguments], profiled)
        if task.method != "sft":  # batches of trainers hold what not each of them has to look at
            figures["tokens"] = task.epochs * int((folder / "tokens").read_text())
    finally:
        shutil.rmtree(folder)
    return {**figures, "tokens_per_second": figures["tokens"] / figures["seconds"]}


def _prepared(scratch: Path, way: Way, task: Task) -> Path:
    """A folder with the job, its tokens and rows.jsonl: made before the run, as `prepare` does in a pod of its own.

    Of other methods than sft, rows.jsonl has texts of the very tokens, and the file `tokens` says how many those are.
    """
    ours = way.program == "swiftlet"
    # The peers take plain tokens; of ours, each way has a document of its own.
    is_plain = not ours or (task.method != "sft" and not way.packed and not way.compiled)
    key = repr("plain" if is_plain else (way.packed, way.compiled)) + repr(task)
    folder = scratch / f"prepared-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    if not folder.exists():
        drawn = {"words_each": task.words_each, "mean_log": task.mean_log, "longest": task.longest}
        rows = ROWS[task.method](task.rows, **drawn)
        plain = {} if ours else {"packed": False, "compiled": False}
        write_job(folder, rows, {**settings_of(way, task), **plain})
        program = [sys.executable, str(HERE / "training_ours.py")]
        if task.method == "sft":
            _prepare_chats(folder, program, rows, has_tokens=not ours)
        else:
            (folder / "tokens").write_text(_call(folder, [*program, "texts", task.method]).rstrip().splitlines()[-1])
    return folder


def _prepare_chats(folder: Path, program: list[str], rows: list[dict[str, Any]], has_tokens: bool) -> None:
    _call(folder, [*program, "prepare"])
    if has_tokens:
        _call(folder, [*program, "tokens", "tokens.jsonl"])
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _start(folder: Path, command: list[str], profiled: bool) -> Figures:
    asked = {"BENCH_PROFILE": "1"} if profiled else {}
    found: Figures = json.loads(_call(folder, command, **asked).rstrip().splitlines()[-1])
    return found


def _call(folder: Path, command: list[str], **variables: str) -> str:
    from swiftlet_trainer.threads import share_cores

    environment = {
        **os.environ,
        **{"SWIFTLET_ROOT": str(folder), "SWIFTLET_PROGRESS_FILE": "/progress.jsonl"},
        **{"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""},
        **{"HF_HOME": str(folder / "hub"), "MODELSCOPE_CACHE": str(folder / "hub"), "TRL_EXPERIMENTAL_SILENCE": "1"},
        **variables,
        "BENCH_STARTED": repr(time.time()),
    }
    # Byte code is kept, as it is where people work and in our images: without it, every start takes six seconds more.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    share_cores(environment)  # as the trainer's own entry point does; for all ways, so that it is no difference
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise RunError(f"took longer than {LONGEST_SECONDS:.0f} s") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()
        raise RunError(said[-1][:300])
    return done.stdout
