"""The curves of a run, and of others over them."""

from collections.abc import Callable
from typing import Any

from nicegui import ui

from swiftlet.cli.reading.steps import steps_of
from swiftlet.cli.ui.pages.frame import Site
from swiftlet.cli.ui.pages.live import Live
from swiftlet.cli.ui.views.curves import FIGURES, Steps, chart, figures_of

Object = dict[str, Any]
_PALE = {"color": "#ddd"}
_LINE = {"lineStyle": {"color": "#555"}}
DARK = {
    "textStyle": _PALE,
    "legend": {"textStyle": _PALE, "pageTextStyle": _PALE},
    "valueAxis": {"axisLine": _LINE, "splitLine": _LINE, "axisLabel": _PALE, "nameTextStyle": _PALE},
}
"""ECharts' theme where the page is dark."""


def curves(site: Site, name: str, namespace: str, dark: bool, is_seen: Callable[[], bool]) -> None:
    """A choice of runs and of a figure, and the chart."""
    with ui.element("div").classes("state"):
        runs = ui.select([name], value=[name], multiple=True, label="Runs").props("use-chips outlined dense")
        figure = ui.select({"loss": FIGURES["loss"][0]}, value="loss", label="Figure").props("outlined dense")
    chosen: dict[str, Any] = {"runs": [name], "figure": "loss"}

    def read() -> tuple[list[str], dict[str, Steps]]:
        jobs = {item["metadata"]["name"]: item for item in site.world.list("FineTuneJob", namespace)}
        return list(jobs), {one: steps_of(site.world, jobs[one]) for one in chosen["runs"] if one in jobs}

    def make() -> Callable[[tuple[list[str], dict[str, Steps]]], None]:
        empty = ui.label("no step has been taken yet").classes("empty")
        drawn = ui.echart({}, theme=DARK if dark else {}).style("height: 24rem; width: 100%")

        def show(found: tuple[list[str], dict[str, Steps]]) -> None:
            names, steps = found
            if runs.options != names:
                runs.set_options(names, value=runs.value)
            figures = figures_of(steps) or {"loss": FIGURES["loss"][0]}
            if figure.options != figures:
                figure.set_options(figures, value=figure.value if figure.value in figures else next(iter(figures)))
            empty.set_visibility(not any(steps.values()))
            document = {"backgroundColor": "transparent", **chart(steps, figure.value)}
            if drawn.options != document:
                drawn.options.clear()
                drawn.options.update(document)
                drawn.update()

        return show

    live = Live(read, make, site.every, is_seen)

    async def choose() -> None:
        chosen["runs"] = list(runs.value)
        await live.refresh()

    runs.on_value_change(choose)
    figure.on_value_change(choose)
