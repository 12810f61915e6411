"""Training speed beside other trainers: `python benchmarks/training_speed.py [--quick] [--ways NAME …] [--json FILE]`.

LoRA (rank 16, all linear layers) on the quickstart's model; the same generated chats with masked prompts, one epoch,
4 rows per step, bf16 where the CPU multiplies it. Each run is a process of its own, and the ways take turns, so that
noise of the machine meets all of them. Useful tokens are those without padding; the time is that of the steps, and of
what a method computes ahead of them. The same for full fine-tuning, and the peak memory at growing lengths. Peers run
in environments of their own, from their locks.
"""

import argparse
import json
import signal
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

import training_picture
from training_report import Found, memory_table, table, targets
from training_runs import Task, peer_settings
from training_session import Session, versions_text
from training_ways import FULL, LENGTHS, WAYS, Way, ways_here

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "training-step.svg"
TABLES = ("lora", "full", "memory", "profile")
PROFILED = ("trl", "loop", "padded", "packed")
MEMORY_WAYS = ("trl", "padded")


def settings_text(ways: dict[str, Way], names: list[str]) -> str:
    """What each peer was set to."""
    lines = ["settings of the peers, defaults apart:"]
    lines += [
        f"  {ways[name].title}: {json.dumps(peer_settings(ways[name], Task(rows=0)))}"
        for name in names
        if ways[name].program != "swiftlet"
    ]
    return "\n".join(lines)


def report(found: Found, ways: dict[str, Way], names: list[str], notes: list[str]) -> str:
    """Everything that is printed."""
    failures = [f"{title}: failed: {error}" for title, error in found.failures.items()]
    parts = [
        "LoRA\n" + table(found.lora, ways),
        "all weights\n" + table(found.full, ways) if any(found.full.values()) else "",
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
    count = len(lora) * arguments.rounds + len(full) + len(memory) * len(LENGTHS) + len(profiled)
    with tempfile.TemporaryDirectory() as scratch:
        session = Session(ways, Path(scratch), count)
        task = Task(rows=arguments.rows)
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.default_int_handler)
        try:
            session.rounds(session.found.lora, lora, task, arguments.rounds, "LoRA")
            session.rounds(session.found.full, full, replace(task, tuner="full"), 1, "full")
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
