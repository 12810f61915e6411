"""The figures of the operator beside other operators as text: a table, ratios, and the goals with what was reached."""

import operator
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from control_plane_sides import OURS, TRAINER, Side
from control_plane_turns import Turn

Figure = Callable[[Turn], float]

COLUMNS: tuple[tuple[str, int, int, Figure], ...] = (
    ("per s", 8, 1, operator.attrgetter("rate")),
    ("p50 s", 8, 2, lambda turn: turn.quantile(0.5)),
    ("p99 s", 8, 2, lambda turn: turn.quantile(0.99)),
    ("writes", 8, 2, lambda turn: sum(turn.writes.values())),
    ("controllers", 13, 1, operator.attrgetter("controllers")),
    ("apiserver", 11, 1, operator.attrgetter("server")),
    ("etcd", 7, 1, operator.attrgetter("etcd")),
    ("MiB", 7, 0, operator.attrgetter("memory")),
    ("others", 8, 2, operator.attrgetter("others")),
)
"""Heading, width and decimals of each figure."""
HEADING = f"{'who':<10}{'round':>7}" + "".join(f"{name:>{width}}" for name, width, _, _ in COLUMNS)


@dataclass(frozen=True)
class Measure:
    """What sides are compared by."""

    name: str
    figure: Figure
    goal: float
    """Ours in terms of Kubeflow Trainer's."""
    more: bool
    """Whether more is better, so that the goal is a least ratio."""


MEASURES = (
    Measure("resources a second", operator.attrgetter("rate"), 1.5, more=True),
    Measure("processor time, controllers and API server", operator.attrgetter("processor"), 0.6, more=False),
)


def report(
    sides: Sequence[Side], turns: Sequence[Turn], memory: Mapping[str, float], memory_at: int, load: float
) -> str:
    """The figures as text. memory: resident MiB with `memory_at` resources, by side; empty when not measured."""
    peers = [side for side in sides if side is not OURS]
    parts = [
        _introduction(sides, turns[0].count),
        "\n".join([HEADING, *(line for side in sides for line in _lines(of(turns, side)))]),
        "\n".join(f"writes of {side.name}, per resource: {_writes(of(turns, side)[-1])}" for side in sides),
        "\n".join(_compared(turns, peer, measure) for peer in peers for measure in MEASURES),
        _memory(memory, memory_at),
        f"load average at the start: {load:.1f}",
    ]
    return "\n\n".join(part for part in parts if part)


def of(turns: Sequence[Turn], side: Side) -> list[Turn]:
    """A side's turns."""
    return [turn for turn in turns if turn.side == side.name]


def ratios(turns: Sequence[Turn], peer: Side, figure: Figure) -> list[float]:
    """Ours over a peer's, round by round."""
    pairs = zip(of(turns, OURS), of(turns, peer), strict=True)
    return [figure(ours) / figure(theirs) for ours, theirs in pairs]


def _introduction(sides: Sequence[Side], count: int) -> str:
    listed = "\n".join(f"  {side.name}: {side.about}" for side in sides)
    return (
        f"{count} resources created at once, beside other operators, each alone in its turn:\n{listed}\n"
        "The work is not equal: Trainer makes a JobSet more and has webhooks; KubeRay makes its pods itself, and the\n"
        "others' Jobs make none here. Times are from a resource's creation to its last child, writes the controllers'\n"
        "per resource, processor time in ms per resource until they write no more, MiB their resident memory after\n"
        "that, others the cores that were taken by others."
    )


def _lines(turns: Sequence[Turn]) -> list[str]:
    rows = [
        _line(turn.side, str(number), [figure(turn) for *_, figure in COLUMNS]) for number, turn in enumerate(turns, 1)
    ]
    medians = [statistics.median(figure(turn) for turn in turns) for *_, figure in COLUMNS]
    return [*rows, _line(turns[0].side, "median", medians)]


def _line(who: str, round_name: str, figures: Sequence[float]) -> str:
    cells = (f"{value:>{width}.{decimals}f}" for value, (_, width, decimals, _) in zip(figures, COLUMNS, strict=True))
    return f"{who:<10}{round_name:>7}" + "".join(cells)


def _writes(turn: Turn) -> str:
    return ", ".join(f"{resource} {number:.2f}" for resource, number in turn.writes.items())


def _compared(turns: Sequence[Turn], peer: Side, measure: Measure) -> str:
    found = ratios(turns, peer, measure.figure)
    median = statistics.median(found)
    rounds = ", ".join(f"{ratio:.2f}" for ratio in found)
    text = f"{OURS.name} / {peer.name}, {measure.name}: {median:.2f} (rounds {rounds})"
    if peer is not TRAINER:
        return text
    met = median >= measure.goal if measure.more else median <= measure.goal
    return f"{text}; goal {'>=' if measure.more else '<='} {measure.goal}: {'met' if met else 'MISSED'}"


def _memory(memory: Mapping[str, float], size: int) -> str:
    listed = ", ".join(f"{name} {value:.0f}" for name, value in memory.items())
    return f"resident MiB of the controllers with {size} resources: {listed}" if memory else ""
