"""Rendering a page: one file without a reference to anything outside it."""

from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def render(template: str, title: str, subtitle: str, **content: Any) -> str:
    """The HTML of `template` (a file of this package). Every text is escaped but plots, which are marked as safe."""
    environment = Environment(
        loader=PackageLoader("swiftlet_trainer", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    written = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    page: str = environment.get_template(template).render(title=title, subtitle=subtitle, written=written, **content)
    return page


def safe(svg: str) -> Markup:
    """A plot of ours, to be put into the page as it is."""
    return Markup(svg)  # noqa: S704  (made by matplotlib from numbers and escaped labels)
