"""Files for tests to read."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from swiftlet.api.schema.problems import InvalidDocuments
from swiftlet.documents import read_documents

Write = Callable[[str, str], Path]
Refusal = Callable[..., list[str]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write `text`, dedented, to a file below the test's folder."""

    def write_file(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return file

    return write_file


@pytest.fixture
def refusal(tmp_path: Path) -> Refusal:
    """What `read_documents` says of bad files: one line for each problem, without the folder."""

    def refused(*paths: Path, **options: object) -> list[str]:
        with pytest.raises(InvalidDocuments) as error:
            read_documents(paths, **options)  # type: ignore[arg-type]
        return str(error.value).replace(f"{tmp_path}/", "").replace(str(tmp_path), ".").splitlines()

    return refused
