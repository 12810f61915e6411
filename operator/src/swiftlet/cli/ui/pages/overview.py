"""The first page: what there is, by kind."""

from collections.abc import Callable
from typing import Any

from swiftlet.cli.reading.columns import rows_of
from swiftlet.cli.reading.resourcekinds import OURS, ResourceKind
from swiftlet.cli.ui.pages.frame import Site, link_to, page
from swiftlet.cli.ui.pages.live import Live, is_forbidden, told
from swiftlet.cli.ui.pages.tables import Table
from swiftlet.cli.ui.views.facts import Grid, reading_time
from swiftlet.cluster.errors import ClusterError

Object = dict[str, Any]
Found = list[tuple[ResourceKind, list[Object], str]]
"""Of each kind what there is, and why it may not be seen."""


def overview(site: Site) -> None:
    """A table for each kind."""
    with page(site, f"Runs in {site.namespace}"):
        Live(lambda: _found(site), _tables, site.every)


def _found(site: Site) -> Found:
    """Whoever may see one kind sees that one."""
    found: Found = []
    for kind in OURS:
        try:
            found.append((kind, site.world.list(kind.name, site.namespace if kind.namespaced else None), ""))
        except ClusterError as error:
            if not is_forbidden(error):
                raise
            found.append((kind, [], told(error)))
    return found


def _tables() -> Callable[[Found], None]:
    tables = {kind.name: Table() for kind in OURS}

    def show(found: Found) -> None:
        for kind, items, refusal in found:
            heads, rows = rows_of(kind, items, now=reading_time(items))
            grid = Grid(f"{kind.name}s", heads, rows, refusal or "there are none")
            tables[kind.name].show(grid, [link_to(item) for item in items])

    return show
