"""What is found of this machine."""

import pytest
from swiftlet.api.processor import has_compiler


@pytest.mark.parametrize(("named", "found"), [("/bin/true", True), ("/nowhere/g++", False)])
def test_the_compiler_is_the_one_that_cxx_names(monkeypatch: pytest.MonkeyPatch, named: str, found: bool) -> None:
    monkeypatch.setenv("CXX", named)
    assert has_compiler() is found


def test_without_a_compiler_on_the_path_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    assert not has_compiler()
