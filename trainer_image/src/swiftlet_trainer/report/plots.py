"""Plots as inline SVG that takes its colours from the page, so that it is readable in light and in dark."""

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

COLOURS = {"#010203": "currentColor", "#040506": "var(--after)", "#070809": "var(--before)", "#0a0b0c": "var(--line)"}
"""matplotlib knows fixed colours only: it draws in stand-ins, which become the page's own."""
TEXT, AFTER, BEFORE, LINE = COLOURS
DASHES: tuple[Any, ...] = ("-", "--", ":", "-.", (0, (1, 4)), (0, (6, 1, 1, 1, 1, 1)))
"""Of lines, when all colours have been used."""
WIDTH_INCHES = 10.0

Axes = Any
"""matplotlib.axes.Axes"""


@dataclass(frozen=True)
class Bars:
    """One panel: a metric's figure for each subject, with its standard error. values: (subject, figure, error)."""

    title: str
    values: list[tuple[str, float, float]]
    is_share: bool = False
    """The figure lies between 0 and 1, and so does the scale."""


@dataclass(frozen=True)
class Curve:
    """A line over steps."""

    label: str
    steps: list[int]
    values: list[float]


def bar_panels(panels: Sequence[Bars]) -> str:
    """A small panel per metric, each with its own scale; whiskers are two standard errors."""
    columns = min(4, len(panels))
    rows = -(-len(panels) // columns)

    def draw(figure: Any) -> None:
        grid = figure.subplots(rows, columns, squeeze=False).flatten()
        for axes, panel in zip(grid, panels, strict=False):
            _bars(axes, panel)
        for axes in grid[len(panels) :]:
            axes.set_visible(False)

    return _svg(draw, (min(WIDTH_INCHES, 3.4 * columns), 2.6 * rows))


def curves(lines: Sequence[Curve], unit: str, from_zero: bool = False) -> str:
    """Lines over steps, up to 18, the first in the strong colour; with more than one, a legend."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for curve, (dashes, colour) in zip(lines, product(DASHES, (AFTER, BEFORE, TEXT)), strict=False):
            look = {"color": colour, "linestyle": dashes, "linewidth": 1.8, "markersize": 3}
            marker = "o" if len(curve.steps) < 40 else None
            axes.plot(curve.steps, curve.values, marker=marker, label=curve.label, **look)
        axes.set_xlabel("step")
        axes.set_ylabel(unit)
        axes.xaxis.get_major_locator().set_params(integer=True)
        if from_zero:
            finite = [value for curve in lines for value in curve.values if math.isfinite(value)]
            axes.set_ylim(0, 1.08 * max(finite, default=0.0) or 1)
        if len(lines) > 1:
            axes.legend(frameon=False, labelcolor=TEXT)
        _plain(axes)

    return _svg(draw, (WIDTH_INCHES, 3.1))


def _bars(axes: Axes, panel: Bars) -> None:
    names = [name for name, _, _ in panel.values]
    shown = [f"{figure:.3g}" for _, figure, _ in panel.values]
    # A bar cannot be infinite; its label says what it would be.
    figures = [figure if math.isfinite(figure) else 0.0 for _, figure, _ in panel.values]
    errors = [2 * error for _, _, error in panel.values]
    colours = [AFTER if name == "target" else BEFORE for name in names]
    axes.bar(names, figures, yerr=errors, color=colours, ecolor=TEXT, capsize=4, width=0.55, error_kw={"linewidth": 1})
    reached = max(figure + error for figure, error in zip(figures, errors, strict=True))
    top = 1.0 if panel.is_share or reached == 0 else reached
    for place, (figure, error, text) in enumerate(zip(figures, errors, shown, strict=True)):
        axes.text(place, figure + error + 0.03 * top, text, ha="center", color=TEXT, fontsize=10)
    axes.set_ylim(0, 1.18 * top)
    if panel.is_share:
        axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_title(panel.title, color=TEXT, fontsize=10.5)
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.grid(axis="y", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(LINE)
    axes.tick_params(colors=TEXT, length=0, labelsize=9.5)
    axes.xaxis.label.set_color(TEXT)
    axes.yaxis.label.set_color(TEXT)


def _svg(draw: Callable[[Any], None], size: tuple[float, float]) -> str:
    # Imported here: matplotlib takes a second that only the writing of a page should cost.
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # Text stays text (found, copied, small); a fixed salt keeps ids the same from run to run.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "swiftlet", "font.family": "sans-serif"}):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    for stand_in, colour in COLOURS.items():
        text = text.replace(stand_in, colour)
    return text[text.index("<svg") :]
