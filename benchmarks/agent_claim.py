"""Does loss scale make a better agent? The claim of SWIFT's paper (arXiv:2408.05517), on made rows and a small model.

    python benchmarks/agent_claim.py [--rows 1500] [--steps 40] [--epochs 0.16] [--seeds 1 2 3] [--arms A] [--fresh]

Every arm learns from the same conversations in the same order: `chats` from questions and answers alone, `default` with
every token of the assistant counted alike, the others with a rule of template.lossScale; examples/claim has their
documents. Each is judged on steps that were never trained on (see claim/rows.py) by an EvalRun. What is printed: each
figure as the mean over the seeds, and its difference to `default` with the 95 % interval of the paired bootstrap over
steps. A run takes long, so what each gave is kept in claim/figures.jsonl, which is in the repository, and is not
computed again unless --fresh asks for it.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from claim.rows import files
from ruamel.yaml import YAML
from swiftlet_trainer.evaluate.statistics import mean_sample, paired_interval, value

SWIFTLET = Path(sys.executable).with_name("swiftlet")
EXAMPLES = Path(__file__).parents[1] / "examples/claim"
ARMS = ("chats", "default", "react", "agentflan")
DATA = "pvc://datasets/claim"
"""Where the documents of the examples have their rows."""
STEPS = ("phrases", "tools")
FIGURES = ("act_em", "plan_em", "hallu_rate", "avg_f1", "call_accuracy")
"""What the paper has, and BFCL's figure. Each is of the same steps for every arm."""

Figures = dict[tuple[str, str], list[float]]
"""(steps, figure) -> its value on each step that it is about, in the order of the steps."""


def documents(arm: str, seed: int, epochs: float, data: Path) -> list[dict[str, Any]]:
    """The FineTuneJob of an arm, and the EvalRun of what it learnt: those of the example, with rows from a folder."""
    texts = [(EXAMPLES / arm / f"{kind}.yaml").read_text() for kind in ("finetunejob", "evalrun")]
    job, run = (YAML(typ="safe", pure=True).load(text.replace(DATA, str(data))) for text in texts)
    job["spec"]["training"] |= {"epochs": epochs, "seed": seed}
    return [job, run]


def figures_of(lines: Sequence[str]) -> Figures:
    """Of an EvalRun's rows.jsonl."""
    found: Figures = {}
    for row in map(json.loads, lines):
        for figure in FIGURES:
            if figure in row["metrics"]:
                found.setdefault((row["suite"], figure), []).append(float(row["metrics"][figure]))
    return found


def over_seeds(runs: Sequence[Figures]) -> Figures:
    """Each step's mean over runs that differ by their seed."""
    return {key: [sum(each) / len(runs) for each in zip(*(run[key] for run in runs), strict=True)] for key in runs[0]}


def table(arms: Mapping[str, Sequence[Figures]]) -> str:
    """Markdown: a row for each figure, a column for each arm, in percent, and what differs from `default`."""
    means = {arm: over_seeds(runs) for arm, runs in arms.items()}
    lines = ["| steps | figure | n | " + " | ".join(means) + " |", "| --- | --- | --- |" + " --- |" * len(means)]
    for name in STEPS:
        for figure in FIGURES:
            key = (name, figure)
            cells = [_cell(mean[key], means["default"][key], arm == "default") for arm, mean in means.items()]
            lines.append(f"| {name} | {figure} | {len(means['default'][key])} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(values: Sequence[float], default: Sequence[float], is_default: bool) -> str:
    sample, base = mean_sample(values), mean_sample(default)
    if is_default:
        return f"{100 * value(base):.1f}"
    low, high = (100 * bound for bound in paired_interval(sample, base, seed=1))
    return f"{100 * value(sample):.1f} ({100 * (value(sample) - value(base)):+.1f}; {low:+.1f} to {high:+.1f})"


def run_arm(arm: str, seed: int, epochs: float, folder: Path) -> Figures:
    """Train and judge it. A state that was left in the middle goes on."""
    state = folder / f"{arm}-{seed}-{epochs:g}"
    state.mkdir(parents=True, exist_ok=True)
    yaml = YAML()
    for document in documents(arm, seed, epochs, folder):
        with (state / f"{document['kind'].lower()}.yaml").open("w") as stream:
            yaml.dump(document, stream)
    command = [str(SWIFTLET), "run", str(state), "--state", str(state / "state")]
    subprocess.run(command, check=True, env={**os.environ, "NO_COLOR": "1"}, stdout=sys.stderr)
    (rows,) = state.glob(f"state/volumes/swiftlet-artifacts/default/evalruns/{arm}-*/rows.jsonl")
    return figures_of(rows.read_text().splitlines())


@dataclass(frozen=True)
class Kept:
    """What runs gave: a file with a line for each run, in the order in which they ended."""

    file: Path
    settings: str

    def of(self, run: str) -> Figures | None:
        """What this run gave with these settings; None where it was not computed."""
        lines = [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []
        found = [line for line in lines if (line["settings"], line["run"]) == (self.settings, run)]
        return {(steps, figure): values for steps, figure, values in found[-1]["figures"]} if found else None

    def put(self, run: str, figures: Figures) -> None:
        """Keep it at once: the next run may be stopped."""
        rounded = [[*key, [round(value, 4) for value in values]] for key, values in figures.items()]
        line = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "settings": self.settings, "run": run, "figures": rounded}
        with self.file.open("a") as stream:
            stream.write(json.dumps(line) + "\n")


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--steps", type=int, default=40, help="in each of the two files")
    parser.add_argument("--epochs", type=float, default=0.16)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--arms", nargs="+", default=[*ARMS], choices=[*ARMS])
    parser.add_argument("--folder", type=Path, default=Path.home() / ".cache/swiftlet/bench/claim")
    parser.add_argument("--figures", type=Path, default=Path(__file__).parent / "claim/figures.jsonl")
    parser.add_argument("--fresh", action="store_true", help="compute all runs, also those whose figures are kept")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    for name, rows in files(given.rows, given.steps, seed=1).items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (given.folder / f"{name}.jsonl").write_text(text)
    kept = Kept(given.figures, f"{given.rows} conversations, {given.epochs:g} epochs, {given.steps} steps a file")
    arms: dict[str, list[Figures]] = {arm: [] for arm in dict.fromkeys(["default", *given.arms])}
    computed = 0
    for arm, seed in [(arm, seed) for seed in given.seeds for arm in arms]:
        found = None if given.fresh else kept.of(f"{arm}-{seed}")
        if found is None:
            found = run_arm(arm, seed, given.epochs, given.folder)
            kept.put(f"{arm}-{seed}", found)
            computed += 1
        arms[arm].append(found)
    total = sum(map(len, arms.values()))
    print(f"{kept.settings}, seeds {given.seeds}; {computed} of {total} runs computed now, others kept before")
    print(f"\n{table(arms)}")


if __name__ == "__main__":
    main()
