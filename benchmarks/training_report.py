"""Figures of the trainers as text: tables, ratios, and the goals with what was reached."""

import statistics
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from training_ways import LENGTHS, Way

Runs = dict[str, list[dict[str, Any]]]
OURS = ("padded", "packed")
SHOWN = ("tokens_per_second", "peak_mib", "start_seconds", "first_step_seconds", "loss")
LINEAR = 1.1
"""A token may cost this much more at longer rows than at shorter ones: allocators round up."""


@dataclass
class Found:
    """All that was measured."""

    lora: Runs = field(default_factory=dict)
    full: Runs = field(default_factory=dict)
    memory: dict[str, dict[int, float]] = field(default_factory=dict)
    """Peak MiB by way and length."""
    profiles: dict[str, dict[str, float]] = field(default_factory=dict)
    """Milliseconds per useful token, by a way's title and what they were spent on."""
    failures: dict[str, str] = field(default_factory=dict)
    """What ended a way, by its title."""


def best(runs: Runs, prefix: str) -> str | None:
    """Of the ways whose name begins with `prefix`, the one with the highest median speed."""
    names = [name for name, each in runs.items() if name.startswith(prefix) and each]
    return max(names, key=lambda name: median(runs[name], "tokens_per_second"), default=None)


def ratios(runs: Runs, one: str, other: str) -> list[float]:
    """Speed of `one` over that of `other`, round by round, ascending."""
    pairs = zip(runs[one], runs[other], strict=False)
    return sorted(mine["tokens_per_second"] / theirs["tokens_per_second"] for mine, theirs in pairs)


def table(runs: Runs, ways: dict[str, Way]) -> str:
    """Medians of each way, and ratios to the best of TRL within each round."""
    beside = best(runs, "trl")
    heading = f"x {ways[beside].title} (min, median, max)" if beside else ""
    lines = [
        f"{'':32}{'useful tok/s':>13}{heading:>42}{'peak MiB':>10}{'to 1st step s':>15}{'1st step s':>12}{'loss':>7}"
    ]
    for name, each in runs.items():
        if not each:
            continue
        middle = {key: median(each, key) for key in SHOWN}
        lines.append(
            f"{ways[name].title:32}{middle['tokens_per_second']:13.0f}{spread(runs, name, beside):>42}"
            f"{middle['peak_mib']:10.0f}{middle['start_seconds']:15.1f}{middle['first_step_seconds']:12.1f}"
            f"{middle['loss']:7.2f}"
        )
    return "\n".join(lines)


def spread(runs: Runs, name: str, beside: str | None) -> str:
    """The least, the middle and the largest of `ratios`, as text."""
    if beside is None:
        return ""
    found = ratios(runs, name, beside)
    return f"{found[0]:.2f}, {statistics.median(found):.2f}, {found[-1]:.2f}" if found else ""


def memory_table(memory: dict[str, dict[int, float]], ways: dict[str, Way]) -> str:
    """Peak resident memory by the length of rows."""
    lengths = sorted({length for each in memory.values() for length in each})
    lines = [f"{'peak MiB at tokens a row':32}" + "".join(f"{length:>9}" for length in lengths)]
    for name, each in memory.items():
        cells = "".join(f"{each[length]:9.0f}" if length in each else f"{'-':>9}" for length in lengths)
        lines.append(f"{ways[name].title:32}{cells}")
    return "\n".join(lines)


def targets(found: Found) -> str:
    """Each goal, what was measured, and whether it is met."""
    runs = found.lora
    ours = best({name: runs.get(name, []) for name in OURS}, "pa")
    lines = [f"goals, for swiftlet {ours or ''} (the faster of {' and '.join(OURS)}):"]
    goals = [
        (">= 3 x TRL, its rows padded", ours, best({"trl": runs.get("trl", [])}, "trl"), 3.0),
        (">= 3 x TRL at its fastest", ours, best(runs, "trl"), 3.0),
        (">= 2.5 x ms-swift", ours, best(runs, "ms-swift"), 2.5),
        (">= 1.5 x LLaMA-Factory", ours, best(runs, "llamafactory"), 1.5),
        (">= 1.5 x bare padded loop", ours, best(runs, "loop"), 1.5),
        ("compiled >= 2.3 x that loop", best(runs, "compiled"), best(runs, "loop"), 2.3),
        ("packed >= 0.95 x padded", best(runs, "packed"), best(runs, "padded"), 0.95),
    ]
    lines += [goal(text, runs, one, other, least) for text, one, other, least in goals]
    lines += [_start_goal(runs, ours), *_memory_goals(found.memory)]
    return "\n".join(lines)


def goal(text: str, runs: Runs, one: str | None, other: str | None, least: float) -> str:
    """Whether `one` reached so many times the speed of `other`."""
    if not (one and other and runs.get(one) and (found := ratios(runs, one, other))):
        return f"  {text:34} unmeasured"
    middle = statistics.median(found)
    return f"  {text:34} {middle:.2f} beside {other}: {'met' if middle >= least else 'MISSED'}"


def _start_goal(runs: Runs, ours: str | None) -> str:
    text = "first step <= TRL's"
    if not (ours and runs.get(ours) and runs.get("trl")):
        return f"  {text:34} unmeasured"
    mine, theirs = (median(runs[name], "start_seconds") for name in (ours, "trl"))
    return f"  {text:34} {mine:.1f} beside {theirs:.1f} s: {'met' if mine <= theirs else 'MISSED'}"


def _memory_goals(memory: dict[str, dict[int, float]]) -> list[str]:
    theirs = memory.get("trl", {})
    mine = memory.get("padded", {})
    lines = []
    for length in LENGTHS:
        text = f"memory <= TRL's at {length}"
        if length not in theirs or length not in mine:
            lines.append(f"  {text:34} unmeasured")
            continue
        said = "met" if mine[length] <= theirs[length] else "MISSED"
        lines.append(f"  {text:34} {mine[length]:.0f} beside {theirs[length]:.0f} MiB: {said}")
    steps = [(mine[longer] - mine[shorter]) / shorter for shorter, longer in growth(mine)]
    if len(steps) < 2:
        return [*lines, f"  {'growth with length <= linear':34} unmeasured"]
    said = "met" if all(after <= LINEAR * before for before, after in pairwise(steps)) else "MISSED"
    shown = ", ".join(f"{1024 * step:.0f}" for step in steps)
    return [*lines, f"  {'growth with length <= linear':34} KiB per token {shown}: {said}"]


def growth(mine: dict[int, float]) -> list[tuple[int, int]]:
    """Lengths that were measured and whose double was too."""
    return [(length, 2 * length) for length in LENGTHS if length in mine and 2 * length in mine]


def median(runs: list[dict[str, Any]], key: str) -> float:
    """The median of one figure over all runs of a way."""
    return float(statistics.median(run[key] for run in runs))
