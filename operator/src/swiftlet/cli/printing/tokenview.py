"""A preview on a terminal: each token with its weight as its colour, and in words for terminals without colours."""

import sys
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path

from rich.console import Console
from rich.text import Text

from swiftlet.wire.preview import Preview, PreviewDataset, PreviewRow, PreviewToken, State, summary
from swiftlet.wire.visible import escaped, visible

STATES: dict[State, tuple[str, str]] = {
    "ok": ("ok", "green"),
    "warning": ("WARNING", "yellow"),
    "failed": ("FAILED", "bold red"),
}
"""Word and style of each state of a check."""
BETWEEN = "|"
MARGIN = 16
"""Columns of what stands before tokens: the kind of their segment, and their weight."""
TIMES = "×"  # noqa: RUF001
LEGEND = f"tokens are parted by {BETWEEN}; · is a blank, ⏎ a line end, ⇥ a tab; {TIMES}0 is not learnt"


def print_preview(found: Preview, page: Path | None = None) -> None:
    """Print it as wide as the terminal is. page: where it was written as HTML."""
    if isinstance(sys.stdout, TextIOWrapper):  # perhaps of a terminal of another character set
        sys.stdout.reconfigure(errors="backslashreplace")
    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    for line in lines_of(found, console.width):
        console.print(line)
    if page:
        print(f"page: {page}")


def lines_of(found: Preview, width: int) -> Iterator[Text]:
    """The lines; those of tokens are at most `width` columns wide, but where one token alone is wider."""
    yield Text(f"{found.name}: task {found.task} on {found.model}", "bold")
    yield Text(LEGEND, "dim")
    for index, dataset in enumerate(found.datasets):
        yield Text()
        yield from _dataset_lines(dataset)
        for row in found.rows:
            if row.dataset == index:
                yield from _row_lines(row, width)
    yield Text("\nchecks of all rows that were read", "bold")
    for check in found.checks:
        word, style = STATES[check.state]
        yield Text.assemble("  ", (f"{word:<8}", style), escaped(check.text))
        if check.places:
            yield Text(f"          {', '.join(map(escaped, check.places))}", "dim")
    if found.problems:
        yield Text("\nproblems that keep the run from starting", "bold red")
        yield from (Text(f"  {escaped(problem)}") for problem in found.problems)


def _dataset_lines(dataset: PreviewDataset) -> Iterator[Text]:
    which = "all" if dataset.whole else "the first"
    learnt = f", {dataset.learnt:,} learnt" if dataset.learnt else ""
    yield Text(f"{escaped(dataset.uri)} ({dataset.split})", "bold")
    yield Text(f"  {which} {dataset.read:,} rows read, {dataset.usable:,} usable: {dataset.tokens:,} tokens{learnt}")
    yield from (Text(f"  {escaped(note)}", "yellow") for note in dataset.notes)


def _row_lines(row: PreviewRow, width: int) -> Iterator[Text]:
    label = f", {escaped(row.label)}" if row.label else ""
    yield Text(f"\n{escaped(row.place)}: {summary(row)}{label}", "bold")
    for sequence in row.sequences:
        if sequence.name:
            yield Text(f"  {sequence.name}", "italic")
        for segment in sequence.segments:
            heads = iter([segment.kind])
            for weight, tokens in segment.runs():
                shown = iter([f"{TIMES}{weight:g}"])
                for line in _wrapped(tokens, width - MARGIN):
                    head = f"  {next(heads, ''):<7} {next(shown, ''):<6}"
                    yield Text.assemble((head, "dim"), line)
        if sequence.cut:
            yield Text(f"  {sequence.cut:,} more tokens are cut off", "yellow")


def _wrapped(tokens: Sequence[PreviewToken], width: int) -> Iterator[Text]:
    """Tokens side by side, in lines of at most `width` columns."""
    line = Text()
    for token in tokens:
        shown = Text(visible(token.text), style_of(token))
        if line and line.cell_len + len(BETWEEN) + shown.cell_len > width:
            yield line
            line = Text()
        line = Text.assemble(line, (BETWEEN, "dim"), shown) if line else shown
    yield line


def style_of(token: PreviewToken) -> str:
    """Not learnt, less than once, once, or more; control tokens are bold."""
    weight = token.weight
    colour = "dim" if not weight else "yellow" if weight < 1 else "green" if weight == 1 else "magenta"
    return f"bold {colour}" if token.control else colour
