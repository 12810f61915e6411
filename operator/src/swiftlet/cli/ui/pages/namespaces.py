"""Where to look: a choice of namespaces."""

from urllib.parse import urlencode

from nicegui import run, ui

from swiftlet.cli.reading.namespaces import namespaces
from swiftlet.cli.ui.pages.frame import ALL, Site
from swiftlet.cluster.errors import ClusterError

EVERY = "all namespaces"


async def offer_namespaces(site: Site, path: str, place: ui.element) -> None:
    """Make, once the browser is connected, the choice that leads to the same page of another namespace.

    Who may not list them writes one; where there is one alone, there is no choice.
    """
    await ui.context.client.connected()
    try:
        found = await run.io_bound(namespaces, site.world)
    except (ClusterError, OSError):
        found = None  # the page below says why
    if found is not None and set(found) <= {site.namespace}:
        return

    def go(name: str) -> None:
        if name and name != site.namespace:
            ui.navigate.to(f"{path}?{urlencode({'namespace': name})}")

    with place:
        if found is None:
            field = ui.input("Namespace", value=site.namespace).props("outlined dense")
            field.on("keydown.enter", lambda: go(field.value.strip()))
            ui.button("Show", on_click=lambda: go(field.value.strip())).props("outline no-caps")
        else:
            options = {ALL: EVERY} | {name: name for name in sorted({*found, site.listed or ALL} - {ALL})}
            choice = ui.select(options, value=site.namespace, label="Namespace", with_input=True)
            choice.props("outlined dense").on_value_change(lambda event: go(event.value or ""))
