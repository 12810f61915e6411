"""Runs of trainers in turn, with what remains said on stderr."""

import sys
import time
from pathlib import Path

import training_environments
from training_report import Found, Runs
from training_runs import RunError, Task, measure
from training_ways import LENGTHS, Way

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


def versions_text(ways: dict[str, Way], names: list[str]) -> str:
    """What is installed in each environment."""
    lines = ["environments:"]
    for peer in dict.fromkeys(ways[name].environment for name in names):
        try:
            lines.append(f"  {peer}: {training_environments.versions(peer)}")
        except training_environments.InstallError as error:
            lines.append(f"  {peer}: not installed: {error}")
    return "\n".join(lines)
