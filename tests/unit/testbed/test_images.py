import pytest
from testbed import images


def test_another_recipe_is_another_image() -> None:
    assert images.debian_name(["a", "b"]) == images.debian_name(["b", "a"])
    assert images.debian_name(["a"]) != images.debian_name(["a", "b"])


def test_a_base_of_ones_own_is_taken_as_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(images.BASE_VARIABLE, "registry.example/python:3.11-slim")
    assert images.base() == "registry.example/python:3.11-slim"
