import pytest
from swiftlet_trainer.data.placeholders import names, substitute


def test_values_are_filled_in() -> None:
    assert (
        substitute("I am {{NAME}} by {{AUTHOR}}, {{NAME}}.", {"NAME": "Apus", "AUTHOR": "us"})
        == "I am Apus by us, Apus."
    )


def test_values_are_text_not_templates() -> None:
    assert substitute("{{A}}", {"A": "{{B}}", "B": "never"}) == "{{B}}"


def test_escaped_placeholder_is_the_text_itself() -> None:
    assert substitute(r"write \{{NAME}} for {{NAME}}", {"NAME": "Apus"}) == "write {{NAME}} for Apus"


def test_placeholder_without_a_value() -> None:
    with pytest.raises(KeyError, match="AUTHOR"):
        substitute("{{NAME}} by {{AUTHOR}}", {"NAME": "Apus"})


def test_text_without_values_and_other_templates_are_left_alone() -> None:
    assert substitute("{{NAME}}", {}) == "{{NAME}}"
    assert substitute("{{ user }} {{name}} {{NAME}}", {"NAME": "Apus"}) == "{{ user }} {{name}} Apus"


def test_names() -> None:
    assert names(r"{{A}} \{{B}} {{C}}") == ["A", "C"]
