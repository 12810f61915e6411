from typing import Any

import pytest
from swiftlet.cli.errors import CommandError
from swiftlet.cli.printing.jsonpathtemplate import filled

LIST: dict[str, Any] = {
    "items": [
        {"metadata": {"name": "a", "labels": {"x.y/z": "1"}}, "n": [1, 2], "ok": True},
        {"metadata": {"name": "b"}, "n": [3], "ok": False},
    ]
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.items[*].metadata.name}", "a b"),
        ("{.items[0].metadata.name}", "a"),
        ("{.items[-1].metadata.name}", "b"),
        ("{$.items[0].n}", "[1,2]"),
        ("{.items[*].ok}", "true false"),
        (".items[0].metadata.name", "a"),
        ("{items[0].metadata.name}", "a"),
        ("{.items[0].metadata.labels.x\\.y/z}", "1"),
        ("{.items[0].absent}", ""),
        ("names: {.items[*].metadata.name}!", "names: a b!"),
        ('{range .items[*]}{.metadata.name}{"\\t"}{.n[0]}{"\\n"}{end}', "a\t1\nb\t3\n"),
        ("{range .items[*]}{range .n[*]}{@},{end};{end}", "1,2,;3,;"),
        ("{range .items[*]}{$.items[1].metadata.name}{end}", "bb"),
        ('{.items[?(@.metadata.name=="b")].n[0]}', "3"),
        ('{"{}"}', "{}"),
        ("", ""),
    ],
)
def test_a_template_is_filled_as_kubectl_fills_it(template: str, text: str) -> None:
    assert filled(template, LIST) == text


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{.items", "a brace is not closed"),
        ("{range .items[*]}x", "{range ...} has no {end}"),
        ("x{end}", "{end} has no {range ...}"),
        ("{.items[1:2]}", "is not a JSONPath that is read here"),
        ("{..name}", "is not a JSONPath that is read here"),
    ],
)
def test_a_template_that_cannot_be_read_says_why(template: str, said: str) -> None:
    with pytest.raises(CommandError) as refused:
        filled(template, LIST)
    assert said in str(refused.value)
    assert refused.value.code == 2
