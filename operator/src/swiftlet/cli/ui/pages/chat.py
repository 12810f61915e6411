"""A question to two served models, and their answers side by side."""

import asyncio
from collections.abc import Sequence
from typing import Any

from nicegui import run, ui

from swiftlet.cli.acting.chatting import Endpoint, stream
from swiftlet.cli.acting.reaching import reached
from swiftlet.cli.errors import CommandError
from swiftlet.cli.ui.pages.frame import Site, page
from swiftlet.cli.ui.pages.live import told
from swiftlet.cli.ui.pages.namespaces import offer_namespaces
from swiftlet.cluster.errors import ClusterError, RefusedError

Object = dict[str, Any]
Served = dict[str, tuple[Endpoint, str]]
"""Endpoint and served name, by what a reader chooses."""
MAX_TOKENS = 512


class Side:
    """One model's conversation."""

    def __init__(self, served: Served, names: Sequence[str], chosen: str, label: str) -> None:
        self._served = served
        self._turns: list[dict[str, str]] = []
        with ui.element("section"):
            self._choice = ui.select(list(names), value=chosen, label=label).props("outlined dense")
            self._choice.on_value_change(self._begin_anew)
            self._place = ui.element("div").classes("said").props("role=log aria-live=polite tabindex=0")

    def _begin_anew(self) -> None:
        self._turns.clear()
        self._place.clear()

    async def ask(self, question: str) -> None:
        """Show the question, and the answer as it comes; the conversation is what the model was told before."""
        endpoint, model = self._served[self._choice.value]
        self._turns.append({"role": "user", "content": question})
        with self._place:
            ui.label(question).classes("asked")
            shown = ui.label("…")
        text = ""
        try:
            pieces = stream(endpoint, model, list(self._turns), MAX_TOKENS)
            while (piece := await run.io_bound(next, pieces, None)) is not None:
                text += piece
                shown.set_text(text)
        except (CommandError, ClusterError) as error:
            self._turns.pop()
            shown.set_text(f"{text}\n{told(error)}".strip()).classes("trouble")
            return
        shown.set_text(text or "(an empty answer)")
        self._turns.append({"role": "assistant", "content": text})


async def chat(site: Site) -> None:
    """Two sides and one question; the first two served names are chosen: the tuned model and what it came from."""
    with page(site, "Chat"):
        choice = ui.element("div").classes("state")
        place = ui.element("div").classes("place")
    await offer_namespaces(site, "/chat", choice)
    try:
        served, silent = await run.io_bound(_served, site) or ({}, [])
    except (CommandError, ClusterError, OSError) as error:
        with place:
            ui.label(told(error)).classes("trouble").props("role=alert")
        return
    with place:
        for why in silent:
            ui.label(why).classes("empty")
        if served:
            _sides(served)
        elif not silent:
            way = "`swiftlet run PATH --keep` serves" if site.world.folder else "apply a ModelDeployment"
            ui.label(f"nothing is served in {site.listed or 'any namespace'}; {way}").classes("empty")


def _sides(served: Served) -> None:
    names = list(served)
    with ui.element("div").classes("sides"):
        sides = [
            Side(served, names, name, label)
            for name, label in zip((names[0], names[1 % len(names)]), ("Left", "Right"), strict=True)
        ]

    async def ask() -> None:
        question = text.value.strip()
        if not question:
            return
        text.set_value("")
        button.disable()
        try:
            await asyncio.gather(*(side.ask(question) for side in sides))
        finally:
            button.enable()

    with ui.element("form").classes("state").on("submit.prevent", ask):
        text = ui.input("Question").props("outlined dense autofocus").style("flex: 1 1 14rem")
        button = ui.button("Ask both").props("type=submit no-caps")


def _served(site: Site) -> tuple[Served, list[str]]:
    """What may be asked, and why the other models may not."""
    found: Served = {}
    silent = []
    for item in site.world.list("ModelDeployment", site.listed):
        try:
            if not site.world.is_at_work():
                raise CommandError(
                    f"modeldeployment/{item['metadata']['name']} is not served, since no engine runs;"
                    " `swiftlet run PATH --keep` serves it"
                )
            endpoint = reached(site.world, item)
        except (CommandError, RefusedError) as error:
            silent.append(told(error))
            continue
        if endpoint.task == "generate":
            where = endpoint.name if site.listed else f"{item['metadata']['namespace']}/{endpoint.name}"
            found |= {f"{model} · {where}": (endpoint, model) for model in endpoint.models}
    return found, silent
