"""Tables that keep their place while their cells change, so that a reader by keyboard keeps his."""

from collections.abc import Sequence

from nicegui import ui

from swiftlet.cli.ui.views.facts import Grid


class Table:
    """A table of texts. Below 600 px each row is a card, its heads in front of its cells (see frame.STYLE)."""

    def __init__(self) -> None:
        self._place = ui.element("section").classes("grid")
        self._shape: tuple[object, ...] | None = None
        self._cells: list[list[ui.label | ui.link]] = []

    def show(self, grid: Grid, links: Sequence[str] = ()) -> None:
        """Show this. links: where the first cell of each row leads."""
        shape = (grid.title, *grid.heads, len(grid.rows), *links)
        if shape != self._shape:
            self._shape = shape
            self._place.clear()
            with self._place:
                self._build(grid, links)
        for cells, row in zip(self._cells, grid.rows, strict=True):
            for cell, text in zip(cells, row, strict=True):
                if cell.text != text:
                    cell.set_text(text)

    def _build(self, grid: Grid, links: Sequence[str]) -> None:
        if grid.title:
            heading(grid.title)
        self._cells = []
        if not grid.rows:
            ui.label(grid.empty).classes("empty")
            return
        with ui.element("table"):
            with ui.element("thead"), ui.element("tr"):
                for head in grid.heads:
                    _text("th", head).props("scope=col")
            with ui.element("tbody"):
                for index, row in enumerate(grid.rows):
                    with ui.element("tr"):
                        self._cells.append(
                            [
                                _cell(head, text, links[index] if links and not column else "")
                                for column, (head, text) in enumerate(zip(grid.heads, row, strict=True))
                            ]
                        )


def heading(text: str) -> None:
    """A section's."""
    _text("h2", text)


def _text(tag: str, text: str) -> ui.element:
    element = ui.element(tag)
    with element:
        ui.label(text)
    return element


def _cell(head: str, text: str, link: str) -> ui.label | ui.link:
    element = ui.element("td")
    element.props["data-label"] = head
    with element:
        return ui.link(text, link) if link else ui.label(text)
