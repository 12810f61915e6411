"""The page of a preview: rows token by token, with the weight of each as its colour."""

from collections.abc import Iterable
from typing import Any

from swiftlet.wire.preview import Preview, PreviewRow, PreviewSegment, PreviewToken, summary
from swiftlet.wire.visible import MARKS, escaped, visible

STATES = {"ok": ("good", "✓"), "warning": ("", "!"), "failed": ("bad", "✗")}
"""Class and mark of each state of a check."""


def preview_page(found: Preview) -> str:
    """The HTML. Texts of users are escaped twice: what would act or hide on a page, and what HTML would read."""
    from swiftlet_trainer.report.page import render

    return render(
        "preview.html.jinja",
        title=f"Preview of {found.name}",
        subtitle=f"Task {found.task} on {found.model}",
        marks=", ".join(
            f"{mark} is a {name}" for name, mark in zip(("blank", "line end", "tab"), MARKS.values(), strict=True)
        ),
        learns_tokens=found.learns_tokens,
        problems=_lines(found.problems),
        checks=[
            {
                "state": check.state,
                "look": STATES[check.state],
                "text": escaped(check.text),
                "places": _lines(check.places),
            }
            for check in found.checks
        ],
        datasets=[
            {
                "uri": escaped(one.uri),
                "about": one,
                "notes": _lines(one.notes),
                "rows": [_row(row) for row in found.rows if row.dataset == index],
            }
            for index, one in enumerate(found.datasets)
        ],
    )


def _lines(texts: Iterable[str]) -> list[str]:
    return [escaped(text) for text in texts]


def _row(row: PreviewRow) -> dict[str, Any]:
    return {
        "head": f"{escaped(row.place)}: {summary(row)}",
        "label": row.label and escaped(row.label),
        "sequences": [
            {"name": one.name, "cut": one.cut, "segments": [*map(_segment, one.segments)]} for one in row.sequences
        ],
    }


def _segment(segment: PreviewSegment) -> dict[str, Any]:
    runs = [{"weight": f"{weight:g}", "tokens": list(_tokens(tokens))} for weight, tokens in segment.runs()]
    return {"kind": segment.kind, "runs": runs}


def _tokens(tokens: Iterable[PreviewToken]) -> Iterable[dict[str, Any]]:
    for token in tokens:
        look = " ".join([shade(token.weight), *(["control"] if token.control else [])])
        yield {"text": visible(token.text), "look": look, "about": f"id {token.id}, weight {token.weight:g}"}


def shade(weight: float) -> str:
    """Class of a token's colour: not learnt, less than once, once, or more."""
    return "none" if not weight else "less" if weight < 1 else "once" if weight == 1 else "more"
