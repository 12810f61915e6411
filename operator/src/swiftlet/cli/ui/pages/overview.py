"""The first page: what there is, by kind."""

from collections.abc import Callable
from typing import Any

from nicegui import ui

from swiftlet.cli.reading.columns import NAMESPACE, rows_of
from swiftlet.cli.reading.resourcekinds import OURS, ResourceKind
from swiftlet.cli.ui.pages.frame import Site, link_to, page
from swiftlet.cli.ui.pages.live import Live, is_forbidden, told
from swiftlet.cli.ui.pages.namespaces import offer_namespaces
from swiftlet.cli.ui.pages.tables import Table
from swiftlet.cli.ui.views.facts import Grid, reading_time
from swiftlet.cluster.errors import ClusterError

Object = dict[str, Any]
Found = list[tuple[ResourceKind, list[Object], str]]
"""Of each kind what there is, and why it may not be seen."""


async def overview(site: Site) -> None:
    """A table for each kind."""
    with page(site, f"Runs in {site.namespace}" if site.listed else "Runs in all namespaces"):
        choice = ui.element("div").classes("state")
        Live(lambda: _found(site), lambda: _tables(site), site.every)
    await offer_namespaces(site, "/", choice)


def _found(site: Site) -> Found:
    """Whoever may see one kind sees that one."""
    found: Found = []
    for kind in OURS:
        try:
            found.append((kind, site.world.list(kind.name, site.listed if kind.namespaced else None), ""))
        except ClusterError as error:
            if not is_forbidden(error):
                raise
            found.append((kind, [], told(error)))
    return found


def _tables(site: Site) -> Callable[[Found], None]:
    tables = {kind.name: Table() for kind in OURS}

    def show(found: Found) -> None:
        for kind, items, refusal in found:
            last = (NAMESPACE,) if kind.namespaced and not site.listed else ()
            heads, rows = rows_of(kind, items, now=reading_time(items), last=last)
            grid = Grid(f"{kind.name}s", heads, rows, refusal or "there are none")
            tables[kind.name].show(grid, [link_to(item) for item in items])

    return show
