"""Training speed beside other trainers: `python benchmarks/training_speed.py [--quick] [--ways NAME …] [--json FILE]`.

LoRA (rank 16, all linear layers) on the quickstart's model; the same generated chats with masked prompts, one epoch,
4 rows per step, bf16 where the CPU multiplies it. Each run is a process of its own, and the ways take turns, so that
noise of the machine meets all of them. Useful tokens are those without padding; the time is that of the steps, and of
what a method computes ahead of them. The same for full fine-tuning, for methods that learn from pairs, and the
peak memory at growing lengths. Peers run in environments of their own, from their locks.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

import training_environments
import training_picture
from training_report import Found, Runs, memory_table, table, targets
from training_runs import RunError, Task, measure, peer_settings
from training_ways import FULL, LENGTHS, WAYS, Way, ways_here

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "training-step.svg"
TABLES = ("lora", "full", "memory", "profile", "dpo", "rm")
PROFILED = ("trl", "loop", "padded", "packed")
MEMORY_WAYS = ("trl", "padded")
METHODS = ("dpo", "rm")
METHOD_WAYS = ("trl", "padded", "packed")
"""Ways of the tables of methods that learn from pairs, which TRL trains padded."""
WORDS_OF_TOKENS = 0.85
"""Words that surely make up a token's worth of text: rows are cut at the length."""


class Session:
    """Runs one after the other, with what remains said on stderr."""

    def __init__(self, ways: dict[str, Way], scratch: Path, runs: int) -> None:
        self._ways, self._scratch, self._runs = ways, scratch, runs
        self._began, self._done = time.monotonic(), 0
        self.found = Found()

    def run(self, name: str, task: Task, what: str) -> dict[str, float] | None:
        """The figures of one run; None when it failed, and the way is not tried again in this table."""
        way = self._ways[name]
        self._done += 1
        try:
            figures = measure(way, task, self._scratch / f"run-{self._done}")
            said = f"{figures['tokens_per_second']:.0f} tokens/s, {figures['peak_mib']:.0f} MiB"
        except (RunError, training_environments.InstallError) as error:
            self.found.failures[f"{way.title} ({what})"] = str(error)
            figures, said = None, f"failed: {error}"
        spent = time.monotonic() - self._began
        left = spent / self._done * (self._runs - self._done)
        print(
            f"[{self._done}/{self._runs}, about {left / 60:.0f} min left] {what}: {way.title}: {said}", file=sys.stderr
        )
        return figures

    def rounds(self, found: Runs, names: list[str], task: Task, rounds: int, what: str) -> None:
        """Every way in turn, `rounds` times, into `found`. A way that failed once is left out from then on."""
        found.update({name: [] for name in names})
        for number in range(rounds):
            for name in [name for name in names if len(found[name]) == number]:
                if figures := self.run(name, task, f"{what}, round {number + 1}"):
                    found[name].append(figures)

    def memory(self, names: list[str]) -> None:
        """Peak memory of two steps of one row each at every length."""
        for length in LENGTHS:
            task = Task(rows=2, length=length, batch=1, words_each=int(WORDS_OF_TOKENS * length))
            for name in names:
                if figures := self.run(name, task, f"memory at {length}"):
                    self.found.memory.setdefault(name, {})[length] = figures["peak_mib"]

    def profiles(self, names: list[str], task: Task) -> None:
        """Milliseconds per useful token of each way, by what they were spent on."""
        for name in names:
            way = self._ways[name]
            self._done += 1
            try:
                figures = measure(way, task, self._scratch / f"profile-{name}", profiled=True)
            except (RunError, training_environments.InstallError) as error:
                self.found.failures[f"{way.title} (profile)"] = str(error)
                continue
            print(f"[{self._done}/{self._runs}] profile: {way.title}", file=sys.stderr)
            scale = 1000 / figures["profiled_tokens"]
            self.found.profiles[way.title] = {group: scale * each for group, each in figures["profile"].items()}


def settings_text(ways: dict[str, Way], names: list[str]) -> str:
    """What each peer was set to."""
    lines = ["settings of the peers, defaults apart:"]
    lines += [
        f"  {ways[name].title}: {json.dumps(peer_settings(ways[name], Task(rows=0)))}"
        for name in names
        if ways[name].program != "swiftlet"
    ]
    return "\n".join(lines)


def versions_text(ways: dict[str, Way], names: list[str]) -> str:
    """What is installed in each environment."""
    lines = ["environments:"]
    for peer in dict.fromkeys(ways[name].environment for name in names):
        try:
            lines.append(f"  {peer}: {training_environments.versions(peer)}")
        except training_environments.InstallError as error:
            lines.append(f"  {peer}: not installed: {error}")
    return "\n".join(lines)


def report(found: Found, ways: dict[str, Way], names: list[str], notes: list[str]) -> str:
    """Everything that is printed."""
    failures = [f"{title}: failed: {error}" for title, error in found.failures.items()]
    parts = [
        "LoRA\n" + table(found.lora, ways),
        "all weights\n" + table(found.full, ways) if any(found.full.values()) else "",
        *(f"{method}, LoRA, pairs of answers\n" + table(runs, ways) for method, runs in found.methods.items()),
        memory_table(found.memory, ways) if found.memory else "",
        training_picture.text(found.profiles) if found.profiles else "",
        targets(found),
        "\n".join([*notes, *failures]),
        versions_text(ways, names),
        settings_text(ways, names),
    ]
    return "\n\n".join(part for part in parts if part)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep every run's figures here")
    parser.add_argument("--rows", type=int, default=16, help="rows of an epoch, 4 a step")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), metavar="NAME", help=f"of {', '.join(WAYS)}")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--quick", action="store_true", help="8 rows, one round, LoRA alone: to try that all runs")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rows, arguments.rounds, arguments.tables = 8, 1, ["lora"]
    return arguments


def main() -> None:
    """Measure and print. A way that fails is said to have failed; a goal missed is said to be missed.

    SIGINT or SIGTERM ends the measuring, and what was measured until then is printed.
    """
    arguments = _arguments()
    from swiftlet_trainer.hardware import multiplies_bf16

    ways, notes = ways_here(multiplies_bf16(False))
    names = [name for name in ways if not arguments.ways or name in arguments.ways]
    full = [name for name in FULL if name in names and "full" in arguments.tables]
    memory = [name for name in MEMORY_WAYS if name in names and "memory" in arguments.tables]
    profiled = [name for name in PROFILED if name in names and "profile" in arguments.tables]
    lora = names if "lora" in arguments.tables else []
    compared = [name for name in METHOD_WAYS if name in names]
    methods = [method for method in METHODS if method in arguments.tables]
    count = len(lora) * arguments.rounds + len(full) + len(memory) * len(LENGTHS) + len(profiled)
    count += len(compared) * len(methods) * arguments.rounds
    with tempfile.TemporaryDirectory() as scratch:
        session = Session(ways, Path(scratch), count)
        task = Task(rows=arguments.rows)
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.default_int_handler)
        try:
            session.rounds(session.found.lora, lora, task, arguments.rounds, "LoRA")
            session.rounds(session.found.full, full, replace(task, tuner="full"), 1, "full")
            for method in methods:
                found = session.found.methods.setdefault(method, {})
                session.rounds(found, compared, replace(task, method=method), arguments.rounds, method)
            session.memory(memory)
            session.profiles(profiled, task)
        except KeyboardInterrupt:
            notes.append("interrupted: what is missing was not measured")
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(session.found), indent=2) + "\n")
    if session.found.profiles:
        training_picture.draw(session.found.profiles, PICTURE)
    print(report(session.found, ways, names, notes))


if __name__ == "__main__":
    main()
