"""The page of one resource: its state above, and below a tab for each thing that is known of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from nicegui import ui

from swiftlet.cli.places import reports
from swiftlet.cli.printing.diagnosis import explain
from swiftlet.cli.printing.resourcestate import state_of
from swiftlet.cli.printing.results import SCORES, scores
from swiftlet.cli.reading.answers import Answer, answers_of
from swiftlet.cli.reading.describing import outline
from swiftlet.cli.reading.finding import events_about, existing
from swiftlet.cli.reading.resourcekinds import ResourceKind, kind_of
from swiftlet.cli.ui.pages.actions import actions
from swiftlet.cli.ui.pages.curves import curves
from swiftlet.cli.ui.pages.frame import Site, is_dark, page
from swiftlet.cli.ui.pages.live import Live
from swiftlet.cli.ui.pages.logs import logs
from swiftlet.cli.ui.pages.tables import Table, heading
from swiftlet.cli.ui.views import facts
from swiftlet.cli.ui.views.facts import Grid, reading_time
from swiftlet.cli.ui.views.lineage import graph

Object = dict[str, Any]
TABS: Mapping[str, tuple[str, ...]] = {
    "FineTuneJob": ("State", "Curves", "Data", "Lineage", "Events", "Logs"),
    "EvalRun": ("State", "Evaluation", "Answers", "Lineage", "Events", "Logs"),
    "ModelDeployment": ("State", "Lineage", "Events", "Logs"),
    "ComputeProfile": ("State",),
}
MOST_ANSWERS = 200
"""Rows of a page; the report has all."""
DRAWN = ("FineTuneJob", "EvalRun", "ModelDeployment")
"""Kinds that a lineage is made of."""


class RunPage:
    """One resource's page."""

    def __init__(self, site: Site, kind: ResourceKind, namespace: str, name: str) -> None:
        self._site, self._kind, self._namespace, self._name = site, kind, namespace, name
        self._dark = False
        self._tab = "State"

    async def build(self) -> None:
        """Make the page. Raises CommandError for a kind that is none."""
        with page(self._site, f"{self._kind.name.lower()}/{self._name}"):
            place = ui.element("div").classes("place")
        self._dark = await is_dark()
        with place:
            Live(self._item, self._head, self._site.every)
            tabs = TABS[self._kind.name]
            with ui.tabs(on_change=self._turned).props("align=left outside-arrows mobile-arrows dense") as row:
                for title in tabs:
                    ui.tab(title)
            with ui.tab_panels(row, value=tabs[0], animated=False, keep_alive=True).classes("place"):
                for title in tabs:
                    with ui.tab_panel(title):
                        self._panel(title)

    def _turned(self, event: Any) -> None:
        self._tab = str(event.value)

    def _seen(self, title: str) -> Callable[[], bool]:
        return lambda: self._tab == title

    def _panel(self, title: str) -> None:
        site, seen = self._site, self._seen(title)
        parts: Mapping[str, Callable[[], object]] = {
            "State": lambda: Live(self._item, self._state, site.every, seen),
            "Curves": lambda: curves(site, self._name, self._namespace, self._dark, seen),
            "Data": lambda: Live(self._item, _grids(facts.data), site.every, seen),
            "Evaluation": lambda: Live(self._item, _grids(_evaluation), site.every, seen),
            "Answers": lambda: Live(self._answers, _grids(_answered), site.every, seen),
            "Lineage": lambda: Live(self._graph, self._drawn, site.every, seen),
            "Events": lambda: Live(self._events, _grids(_happened), site.every, seen),
            "Logs": lambda: logs(site, self._kind, self._namespace, self._name, seen),
        }
        parts[title]()

    def _item(self) -> Object:
        return existing(self._site.world, self._kind, self._namespace, self._name)

    def _events(self) -> list[Object]:
        item = self._item()
        return events_about(self._site.world, item, item["metadata"].get("namespace") or self._namespace)

    def _answers(self) -> list[Answer] | None:
        folder = self._site.world.folder
        return answers_of(folder, self._item()) if folder else None

    def _graph(self) -> str:
        others = [one for kind in DRAWN for one in self._site.world.list(kind, self._namespace)]
        return graph(self._item(), others)

    def _head(self) -> Callable[[Object], None]:
        with ui.element("div").classes("state"):
            word, message = ui.label().classes("word"), ui.label()
        bar = ui.element("progress").props("max=1 aria-label=Progress")
        actions(self._site, self._item)

        def show(item: Object) -> None:
            state, done = state_of(item), facts.progress(item)
            word.set_text(state.word)
            word.classes(replace=f"word {state.end or ''}")
            message.set_text(state.message if state.end or not done else f"{done[1]}  {'  '.join(state.figures[1:])}")
            bar.set_visibility(bool(done) and state.end is None)
            if done and bar.props.get("value") != done[0]:
                bar.props["value"] = done[0]

        return show

    def _state(self) -> Callable[[Object], None]:
        folder, failure = self._site.world.folder, ui.label().classes("mono trouble")
        conditions, plan = Table(), Table()
        place = f"{self._kind.name.lower()}/{self._namespace}/{quote(self._name, safe='')}"
        report = ui.link("Report", f"/report/{place}", new_tab=True)
        heading("Spec")
        spec = ui.label().classes("mono")

        def show(item: Object) -> None:
            failure.set_text("\n".join(explain(item, folder) or ()))
            conditions.show(facts.conditions(item, reading_time([item])))
            if item["kind"] != "ComputeProfile":
                plan.show(facts.plan(item))
            report.set_visibility(bool(folder and reports(folder, item)))
            spec.set_text(outline(item.get("spec") or {}))

        return show

    def _drawn(self) -> Callable[[str], None]:
        empty = ui.label("this is connected with nothing else").classes("empty")
        looks = {"theme": "dark" if self._dark else "default", "securityLevel": "strict"}
        drawn = ui.mermaid("flowchart LR", config=looks).classes("graph").props('role=img aria-label="Lineage"')

        def show(text: str) -> None:
            empty.set_visibility(not text)
            drawn.set_visibility(bool(text))
            if text and drawn.content != text:
                drawn.set_content(text)

        return show


def _grids(view: Callable[[Any], tuple[Grid, ...]]) -> Callable[[], Callable[[Any], None]]:
    """Makes the tables of a view."""

    def make() -> Callable[[Any], None]:
        tables: list[Table] = []

        def show(found: Any) -> None:
            grids = view(found)
            tables.extend(Table() for _ in grids[len(tables) :])
            for table, grid in zip(tables, grids, strict=True):
                table.show(grid)

        return show

    return make


def _evaluation(run: Object) -> tuple[Grid, ...]:
    gates = [
        ["passed" if gate["passed"] else "FAILED", gate["message"]]
        for gate in (run.get("status") or {}).get("gates") or ()
    ]
    return (
        Grid("Before (baseline) and after (target)", SCORES, scores(run), "there are no results yet"),
        Grid("Gates", ("Gate", "Why"), gates, "no gate has been tried"),
    )


def _answered(found: list[Answer] | None) -> tuple[Grid, ...]:
    heads = ("Suite", "Asked", "Wanted", "Before", "After")
    if found is None:
        why = "answers lie on the cluster's volume, which no API server reads; `swiftlet report` says how to fetch them"
        return (Grid("", heads, (), why),)
    rows = [[one.suite, one.prompt, one.wanted, one.before or "", one.after or ""] for one in found[:MOST_ANSWERS]]
    title = f"First {MOST_ANSWERS} of {len(found)} answers" if len(found) > MOST_ANSWERS else "Answers"
    return (Grid(title, heads, rows, "nothing has been answered in words"),)


def _happened(found: list[Object]) -> tuple[Grid, ...]:
    return (facts.events(found, datetime.now().astimezone()),)


async def run_page(site: Site, kind: str, namespace: str, name: str) -> None:
    """The page of a resource that a URL names. Raises CommandError for a kind that is none."""
    found = kind_of(kind)
    place = namespace if found.namespaced else site.listed or site.world.namespace
    await RunPage(replace(site, namespace=place), found, place, name).build()
