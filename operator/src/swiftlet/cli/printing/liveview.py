"""Progress as a table that stays in its place, for terminals."""

from collections.abc import Sequence

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from swiftlet.cli.printing.resourcestate import ResourceState

MARKS = {"succeeded": ("✓", "green"), "failed": ("✗", "red")}
BAR_WIDTH = 24


class LiveView:
    """One line for each resource: mark, name, state, bar and figures. What is said stays above."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        self._live = Live(console=self._console, refresh_per_second=8, transient=False)
        self._spinner = Spinner("dots", style="cyan")

    def __enter__(self) -> "LiveView":
        self._live.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.__exit__(None, None, None)

    def say(self, text: str, warning: bool = False) -> None:
        """A line above the table."""
        self._console.print(Text(text, style="yellow" if warning else "dim"))

    def show(self, states: Sequence[ResourceState]) -> None:
        """Redraw."""
        table = Table.grid(padding=(0, 2))
        for _ in range(3):
            table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for state in states:
            mark, style = MARKS.get(state.end or "", ("", ""))
            table.add_row(
                Text(mark, style=style) if mark else self._spinner,
                Text(state.name, style="bold"),
                Text(state.word, style=style or "cyan"),
                self._details(state),
            )
        self._live.update(table)

    @staticmethod
    def _details(state: ResourceState) -> Table | Text:
        share = _share(state)
        if share is None:
            return Text(state.message, style="dim" if state.end is None else "")
        row = Table.grid(padding=(0, 1))
        row.add_row(ProgressBar(total=1.0, completed=share, width=BAR_WIDTH), Text(state.line))
        return row


def _share(state: ResourceState) -> float | None:
    """From 0 to 1; None while there is no figure."""
    if state.step is not None and state.total:
        return state.step / state.total
    return state.percent / 100 if state.percent is not None else None
