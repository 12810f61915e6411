"""docs/reference/cli.md is what the parser says."""

from pathlib import Path

from swiftlet.cli.main import COMMANDS
from swiftlet.cli.reference import render_reference

PAGE = Path(__file__).parents[3] / "docs/reference/cli.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == render_reference(), "run: python -m swiftlet.cli.reference docs/reference/cli.md"


def test_no_default_is_told_empty() -> None:
    assert "(default: )" not in render_reference()


def test_every_command_has_a_section_with_examples() -> None:
    sections = render_reference().split("\n## ")[1:]
    named = {section.splitlines()[0]: section for section in sections}
    for command in COMMANDS:
        name = "swiftlet " + command.__name__.rpartition(".")[2]
        found = [section for title, section in named.items() if title == name or title.startswith(f"{name} ")]
        assert found, name
        assert all("```console\nswiftlet" in section for section in found), name
