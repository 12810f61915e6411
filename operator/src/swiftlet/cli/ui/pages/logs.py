"""The last lines of a resource's pods, and those that come."""

from collections.abc import Callable
from typing import Any

from nicegui import ui

from swiftlet.cli.reading.finding import existing
from swiftlet.cli.reading.logprinting import without_pods
from swiftlet.cli.reading.logreading import pods_to_read
from swiftlet.cli.reading.resourcekinds import ResourceKind
from swiftlet.cli.reading.world import Choice, Line
from swiftlet.cli.ui.pages.frame import Site
from swiftlet.cli.ui.pages.live import Live

Object = dict[str, Any]
TAIL = 200
"""Lines that are shown at first."""
MOST = 2000
"""Lines that are kept on the page."""


def logs(site: Site, kind: ResourceKind, namespace: str, name: str, is_seen: Callable[[], bool]) -> None:
    """Of every pod of the newest attempt, each line with its origin; without pods, why there is none."""
    reader = site.world.lines(namespace, TAIL)
    first = [True]

    def read() -> tuple[list[Line], str]:
        choice, item = Choice(all_pods=True), existing(site.world, kind, namespace, name)
        pods = pods_to_read(site.world, item, choice)
        lines = reader.new_lines(pods, choice) if pods else []
        if first[0]:
            first[0], lines = not lines, lines[-TAIL:]
        return lines, "nothing has been written yet" if pods else without_pods(item)

    def make() -> Callable[[tuple[list[Line], str]], None]:
        empty = ui.label().classes("empty whitespace-pre-wrap")
        # It keeps to its end by itself, but not from the lines that it begins with.
        ui.timer(0.5, lambda: log.run_method("setScrollPercentage", "vertical", 1), once=True)
        log = ui.log(max_lines=MOST).classes("log mono").props('tabindex=0 role=log aria-label="Log"')

        def show(found: tuple[list[Line], str]) -> None:
            lines, none = found
            empty.set_text(none)
            for line in lines:
                log.push(f"{line.time[:19]} [{line.pod}/{line.container}] {line.text}")
            if lines:
                empty.set_visibility(False)

        return show

    Live(read, make, site.every, is_seen)
