"""Curves of runs as an ECharts document. Source: echarts.apache.org, Option."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

Object = dict[str, Any]
Steps = Sequence[Object]
FIGURES: Mapping[str, tuple[str, str | None]] = {
    "loss": ("Loss", "evalLoss"),
    "learningRate": ("Learning rate", None),
    "gradNorm": ("Gradient norm", None),
    "tokensPerSecond": ("Tokens per second", None),
    "accuracy": ("Accuracy", "evalAccuracy"),
    "meanTokenAccuracy": ("Token accuracy", None),
    "entropy": ("Entropy", None),
    "rewardsMargins": ("Margin of rewards", "evalRewardsMargins"),
    "rewardsAccuracies": ("Pairs told apart", "evalRewardsAccuracies"),
    "kl": ("KL to the reference", None),
}
"""By the field of a step: what it is, and the field that tells the same of held-out rows."""
MOST_POINTS = 2000
"""Of one curve: a longer one is thinned by ECharts' own sampling, which keeps its shape."""


def figures_of(runs: Mapping[str, Steps]) -> dict[str, str]:
    """The figures that any run has, by field, in the order of FIGURES."""
    return {
        field: title
        for field, (title, held_out) in FIGURES.items()
        if any(field in step or (held_out or field) in step for steps in runs.values() for step in steps)
    }


def chart(runs: Mapping[str, Steps], field: str) -> Object:
    """One figure of several runs over their steps; of held-out rows dashed, where a run has them.

    A figure that is no number (a loss that became NaN) is a gap, as ECharts draws `null`.
    """
    title, held_out = FIGURES[field]
    series = []
    for name, steps in runs.items():
        series.append(_series(name, steps, field))
        if held_out and any(held_out in step for step in steps):
            series.append({**_series(f"{name}, held out", steps, held_out), "lineStyle": {"type": "dashed"}})
    return {
        "aria": {"enabled": True},
        "animation": False,
        "tooltip": {"trigger": "axis", "renderMode": "richText"},
        "legend": {"type": "scroll", "top": 0},
        "grid": {"left": 8, "right": 16, "top": 40, "bottom": 48, "containLabel": True},
        "xAxis": {"type": "value", "name": "step", "nameLocation": "middle", "nameGap": 24, "minInterval": 1},
        "yAxis": {"type": "value", "name": title, "scale": True},
        "dataZoom": [{"type": "inside"}],
        "series": series,
    }


def _series(name: str, steps: Steps, field: str) -> Object:
    points = [[step["step"], _number(step[field])] for step in steps if field in step]
    return {
        "name": name,
        "type": "line",
        "showSymbol": len(points) == 1,
        "sampling": "lttb" if len(points) > MOST_POINTS else None,
        "data": points,
    }


def _number(figure: Any) -> float | None:
    number = float(figure)
    return number if math.isfinite(number) else None
