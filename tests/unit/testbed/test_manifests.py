from types import SimpleNamespace
from typing import Any

import pytest
from testbed.errors import TestBedError
from testbed.manifests import await_kinds, documents, in_order


def test_documents_one_after_another_and_in_lists() -> None:
    text = '{"kind": "A"}\n{"kind": "List", "items": [{"kind": "B"}, {"kind": "C"}]}\n'
    assert [item["kind"] for item in documents(text)] == ["A", "B", "C"]
    assert list(documents("")) == []


def test_kinds_and_namespaces_come_first() -> None:
    items = [{"kind": "Role"}, {"kind": "CustomResourceDefinition"}, {"kind": "Namespace"}]
    first, then = in_order(items)
    assert [item["kind"] for item in (*first, *then)] == ["CustomResourceDefinition", "Namespace", "Role"]


class New:
    """A control plane whose CRDs nothing has been said of yet, when it is asked for the first `times`."""

    def __init__(self, times: int) -> None:
        self.left = times

    def kubectl(self, *args: str, check: bool = True) -> Any:
        self.left -= 1
        if self.left >= 0 and check:
            raise TestBedError("conditions accessor error")
        return SimpleNamespace(returncode=int(self.left >= 0))


def test_kinds_that_nothing_was_said_of_yet_are_asked_for_again() -> None:
    new: Any = New(2)
    await_kinds(new)
    assert new.left == -1
    never: Any = New(1000)
    with pytest.raises(TestBedError, match="accessor"):
        await_kinds(never, seconds=0.3)
