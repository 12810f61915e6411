"""vLLM as a process."""

import os
import re
import sys
from pathlib import Path

from swiftlet.api.v1alpha1.tasks.block import HeadName
from swiftlet.wire.documents import RUN_ROOT, ServeDocument

from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.serve.engine import EngineProcess
from swiftlet_trainer.serve.generation_defaults import write_generation_defaults
from swiftlet_trainer.serve.vllm_arguments import DRAIN_SECONDS, vllm_arguments, vllm_env

GENERATION_FOLDER = f"{RUN_ROOT}/generation"
PHASES = (
    (re.compile("Resolved architecture"), "starting vllm's engine"),
    (re.compile("Starting to load model"), "loading weights"),
    (re.compile("Loading weights took"), "preparing the cache"),
    (re.compile("Starting vLLM server"), "starting the API"),
)
NOISE = re.compile(
    "Attempted to load weight|Route: /|Triton is installed|triton-cpu is expected|duplicate keys --middleware"
)
"""One line per tensor of an fp32 model that is served in bf16, and per path of the API. Every middleware is told."""
LIKELIEST = 5
"""As many of the likeliest tokens as vLLM tells without being asked to allow more."""


def vllm_process(
    document: ServeDocument,
    model: Path,
    host: str,
    threads: int,
    draft: Path | None = None,
    head: HeadName = "tokens",
) -> EngineProcess:
    """vLLM serving `document` with the model in `model`, which is used by `head`, and the draft model in `draft`, on
    `host`; on a CPU with `threads` threads."""
    own = ["--parent", str(os.getpid()), *([] if document.use_gpu else ["--cpu"])]
    return EngineProcess(
        name="vllm",
        command=[
            sys.executable,
            "-m",
            "swiftlet_trainer.serve.vllm_process",
            *own,
            "--",
            "--generation-config",
            str(write_generation_defaults(model, in_pod(GENERATION_FOLDER))),
            *vllm_arguments(document, model, host, draft, head),
        ],
        env=vllm_env(document, model, threads),
        phases=PHASES,
        noise=NOISE,
        telling={"logprobs": LIKELIEST},
        pools=head != "tokens",
        kill_after_seconds=DRAIN_SECONDS + 10,
    )
