from pathlib import Path

from swiftlet.kinds.conditions.reference import render_conditions

PAGE = Path(__file__).parents[4] / "docs/reference/conditions.md"


def test_the_generated_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == render_conditions(), "run: make generate"
