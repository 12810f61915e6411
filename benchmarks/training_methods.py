"""Methods beside their peers: `python benchmarks/training_methods.py [--quick] [--methods NAME …] [--json FILE]`.

DPO, KTO, reward models and ORPO beside TRL, embeddings beside sentence-transformers: LoRA (rank 16, all linear layers)
on the quickstart's model, the same generated rows and tokens, as many rows per step, bf16 where the CPU multiplies it.
Each run is a process of its own, and the two programs take turns. Useful tokens are those of the rows that the method
learns from, each once, and a prompt once with each of its answers; the time is that of the steps, and of what a method
computes ahead of them: the reference is part of it in both programs. Then the same few rows in each of three steps, at
a constant rate: that losses agree there says that the same is computed.
"""

import argparse
import json
import signal
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from training_methods_compared import METHODS, OURS, SAME_STEPS, WAYS
from training_methods_report import Compared, goals, section
from training_runs import Task, peer_settings
from training_session import Session, versions_text
from training_ways import Way, ways_here


def task_of(name: str, asked: argparse.Namespace) -> Task:
    """An epoch of the method."""
    batch = METHODS[name].batch
    steps = asked.steps or METHODS[name].steps
    return Task(rows=steps * batch, batch=batch, method=name, model=asked.model and str(asked.model))


def same_rows(task: Task) -> Task:
    """Half a step's rows, all of them in each step."""
    rows = task.batch // 2
    return replace(task, rows=rows, batch=rows, epochs=SAME_STEPS, constant_rate=True)


def settings_text(ways: dict[str, Way], asked: argparse.Namespace) -> str:
    """What each peer was set to."""
    lines = ["settings of the peers, defaults apart:"]
    for name in asked.methods:
        way = ways[METHODS[name].peer]
        lines.append(f"  {name}, {way.title}: {json.dumps(peer_settings(way, task_of(name, asked)))}")
    return "\n".join(lines)


def measure(session: Session, name: str, found: Compared, asked: argparse.Namespace) -> None:
    """Both programs in turn, as many rounds as asked for, and once with the same rows in each step."""
    task, names = task_of(name, asked), [METHODS[name].peer, OURS]
    session.rounds(found.same, names, same_rows(task), 1, f"{name}, the same rows")
    session.rounds(found.speed, names, task, asked.rounds, name)
    found.rows = task.rows
    found.tokens = next((each[0]["tokens"] for each in found.speed.values() if each), 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep every run's figures here")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="of a run; the method's own number when absent")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--model", type=Path, help="folder; the quickstart's model when absent")
    parser.add_argument("--quick", action="store_true", help="one round of two steps: to try that all runs")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.steps = 1, 2
    return arguments


def main() -> None:
    """Measure and print. A program that fails is said to have failed; a goal missed is said to be missed.

    SIGINT or SIGTERM ends the measuring, and what was measured until then is printed.
    """
    arguments = _arguments()
    from swiftlet_trainer.hardware import multiplies_bf16

    ways, notes = ways_here(multiplies_bf16(False), WAYS)
    found = {name: Compared() for name in arguments.methods}
    with tempfile.TemporaryDirectory() as scratch:
        session = Session(ways, Path(scratch), 2 * len(found) * (arguments.rounds + 1))
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.default_int_handler)
        try:
            for name, compared in found.items():
                measure(session, name, compared, arguments)
        except KeyboardInterrupt:
            notes.append("interrupted: what is missing was not measured")
    if arguments.json:
        arguments.json.write_text(json.dumps({name: asdict(each) for name, each in found.items()}, indent=2) + "\n")
    failures = [f"{title}: failed: {error}" for title, error in session.found.failures.items()]
    used = [*dict.fromkeys([*(METHODS[name].peer for name in found), OURS])]
    parts = [*(section(name, each, ways) for name, each in found.items()), goals(found), "\n".join([*notes, *failures])]
    parts += [versions_text(ways, used), settings_text(ways, arguments)]
    print("\n\n".join(part for part in parts if part))


if __name__ == "__main__":
    main()
