"""docs/reference/agent-templates.md is what the templates write."""

from pathlib import Path

from swiftlet_trainer.templates.agents.reference import render_page

PAGE = Path(__file__).parents[5] / "docs/reference/agent-templates.md"


def test_the_generated_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == render_page(), "run: make generate"
