"""What every page has: its head, its looks, and the world that it reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from nicegui import ui

from swiftlet.cli.reading.world import World
from swiftlet.cli.ui.sessions import Session

Object = dict[str, Any]
ALL = "*"
"""Stands for all namespaces; none can be called so."""
STYLE = """
body { overflow-wrap: anywhere; }
.nicegui-content { max-width: 76rem; margin: 0 auto; padding: 1rem; align-items: stretch; gap: 1rem; }
header nav { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem 1.25rem; max-width: 76rem;
  margin: 0 auto; padding: .5rem 1rem; width: 100%; }
.q-header { background: #14532d; color: #fff; }
header nav a { color: #fff; text-decoration: none; font-weight: 500; }
header nav a.brand { font-size: 1.15rem; font-weight: 700; }
header nav .where { margin-left: auto; opacity: .9; font-size: .85rem; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0; font-weight: 600; }
h2 { font-size: 1.05rem; line-height: 1.3; margin: 1.25rem 0 .4rem; font-weight: 600; }
a { color: #0b5cad; } .body--dark a:not(header a) { color: #8ec5ff; }
a:focus-visible, button:focus-visible, [tabindex]:focus-visible { outline: 3px solid #d97706; outline-offset: 2px; }
.place, .grid { width: 100%; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .4rem .75rem .4rem 0; vertical-align: top; border-bottom: 1px solid #8884; }
th { font-size: .75rem; letter-spacing: .04em; text-transform: uppercase; white-space: nowrap; }
td { white-space: pre-wrap; min-width: 5.5rem; }
.empty { opacity: .8; font-style: italic; }
.trouble { color: #b42318; font-weight: 600; white-space: pre-wrap; } .body--dark .trouble { color: #ffa198; }
.state { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .75rem; margin: .25rem 0; }
.word { padding: .1rem .6rem; border-radius: 1rem; border: 1px solid currentColor; font-size: .85rem;
  font-weight: 600; }
.word.succeeded { color: #166534; } .body--dark .word.succeeded { color: #86efac; }
.word.failed { color: #b42318; } .body--dark .word.failed { color: #ffa198; }
progress { width: 100%; height: .6rem; accent-color: #15803d; }
pre, .mono { font-family: ui-monospace, monospace; font-size: .82rem; white-space: pre-wrap; margin: 0; }
.log { height: 60vh; border: 1px solid #8886; border-radius: .3rem; padding: .5rem; }
.log * { white-space: pre-wrap !important; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; width: 100%; }
.sides .q-field { margin-bottom: .5rem; }
.said { border: 1px solid #8886; border-radius: .4rem; padding: .75rem; min-height: 6rem; white-space: pre-wrap; }
.said .asked { font-weight: 600; }
.q-tab-panels { background: transparent; } .q-tab-panel { padding: .5rem 0; }
.graph { overflow-x: auto; } .graph svg { min-width: 44rem; max-width: 100%; height: auto; }
@media (max-width: 600px) {
  .nicegui-content { padding: .75rem; }
  .sides { grid-template-columns: 1fr; }
  table, tbody, tr, td { display: block; width: 100%; } thead { position: absolute; left: -9999px; }
  tr { border: 1px solid #8886; border-radius: .4rem; padding: .4rem .6rem; margin-bottom: .6rem; }
  td { display: flex; gap: .75rem; padding: .15rem 0; border: 0; }
  td::before { content: attr(data-label); flex: 0 0 6.5rem; font-size: .72rem; text-transform: uppercase; opacity: .8;
    padding-top: .15rem; }
}
"""
"""Contrast is 4.5 to 1 at least, in both schemes."""


@dataclass(frozen=True)
class Site:
    """What the page is about. where: in words, for its head; every: seconds between two readings."""

    world: World
    namespace: str
    """ALL: every one."""
    where: str
    every: float
    session: Session | None = None
    """Of whoever has logged in; None: who reads is who serves."""

    @property
    def listed(self) -> str | None:
        """The namespace as lists are asked for it."""
        return None if self.namespace == ALL else self.namespace


def link_to(item: Object) -> str:
    """The page of a resource; `-` stands for the namespace of what has none."""
    metadata = item["metadata"]
    words = item["kind"].lower(), metadata.get("namespace") or "-", metadata["name"]
    return "/run/" + "/".join(quote(word, safe="") for word in words)


@contextmanager
def page(site: Site, title: str) -> Iterator[None]:
    """The head, then what is made within."""
    ui.page_title(f"{title} · Swiftlet")
    ui.add_css(STYLE)
    with ui.header().props("role=banner"), ui.element("nav"):
        asked = f"?namespace={quote(site.namespace, safe='*')}"
        ui.link("Swiftlet", f"/{asked}").classes("brand")
        ui.link("Runs", f"/{asked}")
        ui.link("Chat", f"/chat{asked}")
        if site.session:
            _person(site.session)
        else:
            ui.label(site.where).classes("where")
    with ui.element("h1"):
        ui.label(title)
    yield


def _person(session: Session) -> None:
    """Who is logged in, and the way out. A page that is open when the session ends asks who is there."""
    ui.label(session.person).classes("where")
    if not session.is_lent:
        with ui.element("form").props("method=post action=/logout"):
            ui.button("Log out").props("type=submit flat dense no-caps text-color=white")
    here = ui.context.client.request.url
    again = "/login?" + urlencode({"over": "", "next": f"{here.path}?{here.query}" if here.query else here.path})
    ui.timer(1.0, lambda: ui.navigate.to(again) if session.is_over() else None)


async def is_dark() -> bool:
    """Whether the reader's system asks for a dark page; known once his browser is connected."""
    await ui.context.client.connected()
    return bool(await ui.run_javascript("window.matchMedia('(prefers-color-scheme: dark)').matches"))
