from pathlib import Path

from swiftlet.api import KINDS
from swiftlet.api.schema.reference import render_reference, write_reference

REPOSITORY = Path(__file__).parents[4]


def test_the_generated_files_are_up_to_date() -> None:
    folder = REPOSITORY / "docs" / "reference"
    files = {file.relative_to(folder).as_posix(): file.read_text("utf-8") for file in folder.rglob("*.md")}
    pages = render_reference()
    assert {name: files.get(name) for name in pages} == pages, (
        "run: python -m swiftlet.api.schema.reference docs/reference"
    )


def test_fields_have_type_default_bounds_and_description() -> None:
    page = render_reference()["finetunejob.md"]
    line = next(line for line in page.splitlines() if line.startswith("| `spec.training.epochs` "))
    assert line.startswith("| `spec.training.epochs` | number |  | > 0, ≤ 10000 | Passes over the data;")
    assert "| `spec.datasets[].uri` | string | required |" in page
    assert "| `spec.datasets[].format` | `auto` or `messages` or" in page
    assert "| `spec.template.maxLength` | integer | `1024` | ≥ 8, ≤ 1048576 |" in page


def test_rules_and_columns_are_listed_and_bars_escaped() -> None:
    page = render_reference()["evalrun.md"]
    assert "| `spec.gates[]` | set at least one of min, max," in page
    assert "has(self.min) \\|\\| has(self.max)" in page
    assert '| Gate | `.status.conditions[?(@.type=="GatePassed")].status` | always |' in page


def test_the_index_links_every_kind(tmp_path: Path) -> None:
    write_reference(tmp_path / "reference")
    index = (tmp_path / "reference" / "index.md").read_text("utf-8")
    for kind in KINDS:
        assert f"[{kind}]({kind.lower()}.md)" in index
        assert (tmp_path / "reference" / f"{kind.lower()}.md").is_file()
