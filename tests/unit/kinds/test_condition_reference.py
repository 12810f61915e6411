from pathlib import Path

from swiftlet.kinds.condition_reference import render_conditions

PAGE = Path(__file__).parents[3] / "docs/reference/conditions.md"


def test_the_generated_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == render_conditions(), "run: make generate"
