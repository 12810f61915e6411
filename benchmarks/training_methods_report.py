"""Figures of methods beside their peers as text."""

import statistics
from dataclasses import dataclass, field
from typing import Any

from training_methods_compared import METHODS, OURS, Method
from training_report import SHOWN, Runs, goal, median, spread
from training_ways import Way

CLOSE = 0.03
"""What losses of the same rows may differ by, of the larger one: kernels round in their own ways, and new adapters are
drawn otherwise."""


@dataclass
class Compared:
    """All that was measured of one method."""

    speed: Runs = field(default_factory=dict)
    same: Runs = field(default_factory=dict)
    """Of the runs in which each step has the same rows."""
    rows: int = 0
    tokens: int = 0


def section(name: str, found: Compared, ways: dict[str, Way]) -> str:
    """Everything that is printed of the method with this block."""
    method = METHODS[name]
    counted = f"{found.tokens} useful tokens" if found.tokens else "nothing measured"
    lines = [f"{method.title} ({name}): {found.rows} {method.rows}, {method.batch} a step, {counted}"]
    lines += [f"  {method.note}"] if method.note else []
    return "\n".join([*lines, table(found.speed, ways, method.peer), *_losses(found, ways, method)])


def table(runs: Runs, ways: dict[str, Way], beside: str) -> str:
    """Medians of each program, and ratios to the peer within each round."""
    heading = f"x {ways[beside].title} (min, median, max)"
    lines = [f"{'':32}{'useful tok/s':>13}{heading:>48}{'peak MiB':>10}{'to 1st step s':>15}{'1st step s':>12}"]
    for name in (name for name, each in runs.items() if each):
        middle = {key: median(runs[name], key) for key in SHOWN}
        ratio = spread(runs, name, beside) if name != beside and runs.get(beside) else ""
        lines.append(
            f"{ways[name].title:32}{middle['tokens_per_second']:13.1f}{ratio:>48}{middle['peak_mib']:10.0f}"
            f"{middle['start_seconds']:15.1f}{middle['first_step_seconds']:12.1f}"
        )
    return "\n".join(lines)


def _losses(found: Compared, ways: dict[str, Way], method: Method) -> list[str]:
    lines = ["loss of each step, in the first round's order of rows, which is each program's own:"]
    lines += [f"  {ways[name].title:32}{_shown(each[0])}" for name, each in found.speed.items() if each]
    lines += ["loss of each step where all steps have the same rows:"]
    lines += [f"  {ways[name].title:32}{_shown(each[0])}" for name, each in found.same.items() if each]
    ours, theirs = (found.same.get(name) for name in (OURS, method.peer))
    if ours and theirs:
        apart = furthest(ours[0]["losses"][: method.alike], theirs[0]["losses"][: method.alike])
        said = "the same is computed" if apart <= CLOSE else "NOT THE SAME is computed"
        first = " at the first step" if method.alike == 1 else ""
        lines.append(f"  at most {apart:.2%} apart{first}: {said}")
    return lines


def _shown(run: dict[str, Any]) -> str:
    return ", ".join(f"{loss:.4f}" for loss in run["losses"])


def furthest(some: list[float], others: list[float]) -> float:
    """The largest difference of two losses of a step, as a share of the larger; 1 where steps are missing."""
    if len(some) != len(others) or not some:
        return 1.0
    return max(abs(one - other) / max(abs(one), abs(other), 1e-9) for one, other in zip(some, others, strict=True))


def goals(found: dict[str, Compared]) -> str:
    """Each goal, what was measured, and whether it is met."""
    lines = ["goals:"]
    for name, each in found.items():
        method = METHODS[name]
        lines.append(goal(f"{name} >= {method.least} x {method.peer}", each.speed, OURS, method.peer, method.least))
        lines += [_memory(name, each.speed, method.peer)] if method.is_lean else []
    return "\n".join(lines)


def _memory(name: str, runs: Runs, peer: str) -> str:
    text = f"{name}: peak memory <= {peer}'s"
    if not (runs.get(OURS) and runs.get(peer)):
        return f"  {text:34} unmeasured"
    mine, theirs = (statistics.median(run["peak_mib"] for run in runs[one]) for one in (OURS, peer))
    return f"  {text:34} {mine:.0f} beside {theirs:.0f} MiB: {'met' if mine <= theirs else 'MISSED'}"
