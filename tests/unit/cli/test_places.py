from pathlib import Path

import pytest
from swiftlet.cli.places import path_of

STATE, MIRROR = Path("/state"), Path("/mirror")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("pvc://claim/a/b", "/state/volumes/claim/a/b"),
        ("pvc://swiftlet-models/org/name", "/mirror/org/name"),
        ("hf://org/name@v1", "/mirror/org/name@v1"),
        ("hf://org/name/rows.csv", "/mirror/org/name/rows.csv"),
        ("file:///a/b", "/a/b"),
        ("a/b", "a/b"),
        ("configmap://rows/a.jsonl", None),
        ("tape://shelf/model", None),
    ],
)
def test_where_on_this_machine_it_lies(uri: str, path: str | None) -> None:
    assert path_of(STATE, uri, MIRROR) == (Path(path) if path else None)
