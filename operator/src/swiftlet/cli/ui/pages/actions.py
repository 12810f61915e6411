"""What may be done to a resource from its page: each asks first, and the API server has the last word."""

from collections.abc import Callable
from typing import Any

from nicegui import run, ui

from swiftlet.cli.acting.deleting import delete_all, delete_on_cluster
from swiftlet.cli.errors import CommandError
from swiftlet.cli.reading.clusterworld import ClusterWorld
from swiftlet.cli.ui.pages.frame import Site
from swiftlet.cli.ui.pages.live import told
from swiftlet.cluster.errors import ClusterError
from swiftlet.documents.document import key_of
from swiftlet.local.lock import StateLockedError

Object = dict[str, Any]
KEPT = "Artifacts, checkpoints and reports stay on the artifacts volume."


def actions(site: Site, read: Callable[[], Object]) -> None:
    """The buttons. On this machine a run is suspended where it was started: by Ctrl-C, and `swiftlet run` goes on."""
    with ui.element("div").classes("state"):
        if isinstance(site.world, ClusterWorld):
            world = site.world
            _button("Suspend", "It takes a checkpoint and gives its pods back.", lambda: _suspend(world, read(), True))
            _button("Resume", "It goes on from its last checkpoint.", lambda: _suspend(world, read(), False))
        _button("Delete", f"With all that was made for it. {KEPT}", lambda: _delete(site, read()), leaves=True)


def _button(verb: str, what: str, act: Callable[[], None], leaves: bool = False) -> None:
    """leaves: the page is of something that is gone then."""
    with ui.dialog() as dialog, ui.card():
        ui.label(f"{verb}?").classes("text-h6")
        ui.label(what)

        async def confirmed() -> None:
            dialog.close()
            await _done(verb, act, leaves)

        with ui.element("div").classes("state"):
            ui.button("Cancel", on_click=dialog.close).props("outline autofocus")
            ui.button(verb, on_click=confirmed).props("color=negative" if leaves else "")
    ui.button(f"{verb} …", on_click=dialog.open).props("outline dense no-caps")


async def _done(verb: str, act: Callable[[], None], leaves: bool) -> None:
    try:
        await run.io_bound(act)
    except (CommandError, ClusterError, StateLockedError, OSError) as error:
        ui.notify(told(error), type="negative", multi_line=True, close_button="Close", timeout=0)
        return
    ui.notify(f"{verb}: done", type="positive")
    if leaves:
        ui.navigate.to("/")


def _delete(site: Site, item: Object) -> None:
    if isinstance(site.world, ClusterWorld):
        delete_on_cluster(site.world, [key_of(item)], ignore_missing=False)
    elif site.world.folder is not None:
        delete_all(site.world.folder, [key_of(item)], ignore_missing=False)


def _suspend(world: ClusterWorld, item: Object, suspended: bool) -> None:
    if "suspend" not in item["spec"]:
        raise CommandError(f"a {item['kind']} cannot be suspended; scale it to 0 replicas, or delete it")
    metadata = item["metadata"]
    world.suspend(item["kind"], metadata["namespace"], metadata["name"], suspended)
