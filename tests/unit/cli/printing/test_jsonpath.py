"""The JSONPath of printer columns."""

import pytest
from swiftlet.api import KINDS
from swiftlet.cli.printing.jsonpath import find

DOCUMENT = {
    "metadata": {"name": "bird", "labels": {"swiftlet.dev/kind": "FineTuneJob"}},
    "status": {
        "zero": 0,
        "conditions": [
            {"type": "Accepted", "status": "True"},
            {"type": "Succeeded", "status": "False", "reason": "Failed"},
        ],
        "names": ["bird", "base"],
    },
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (".metadata.name", ["bird"]),
        ("{.metadata.name}", ["bird"]),
        (r".metadata.labels.swiftlet\.dev/kind", ["FineTuneJob"]),
        (".metadata.labels['swiftlet.dev/kind']", ["FineTuneJob"]),
        ('.status.conditions[?(@.type=="Succeeded")].reason', ["Failed"]),
        (".status.conditions[?(@.type=='Succeeded')].status", ["False"]),
        ('.status.conditions[?(@.type!="Succeeded")].type', ["Accepted"]),
        (".status.conditions[*].type", ["Accepted", "Succeeded"]),
        (".status.conditions[0].type", ["Accepted"]),
        (".status.conditions[-1].type", ["Succeeded"]),
        (".status.names", [["bird", "base"]]),
        (".status.zero", [0]),
        (".status.absent.below", []),
        (".status.names[7]", []),
    ],
)
def test_values_at_a_path(path: str, values: list[object]) -> None:
    assert find(DOCUMENT, path) == values


@pytest.mark.parametrize("path", ["name", ".a..b", ".a[?(@.x>3)]", ".a[", ".a[1:2]"])
def test_a_path_outside_the_subset_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not a JSONPath"):
        find(DOCUMENT, path)


def test_every_printer_column_of_ours_can_be_read() -> None:
    columns = [column for kind in KINDS.values() for column in kind.columns]
    assert columns
    for column in columns:
        assert find({}, column.path) == []
