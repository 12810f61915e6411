import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet.api.schema.problems import InvalidDocuments
from swiftlet.documents.yamlfile import parse_documents


def _values(text: str) -> list[Any]:
    return [value for value, _ in parse_documents(text, "f.yaml")]


def _refusal(text: str) -> str:
    with pytest.raises(InvalidDocuments) as error:
        parse_documents(text, "f.yaml")
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: {b: on, c: 'on', d: \"1\"}", {"a": {"b": True, "c": "on", "d": "1"}}),
        ("on: 1", {"true": 1}),
        ("1: x\n1.5: v\n0x10: z\n1e3: w", {"1": "x", "1.5": "v", "16": "z", "1000": "w"}),
        ("a: |\n  text\n", {"a": "text\n"}),
        ("a: >\n  two\n  lines\n", {"a": "two lines\n"}),
        ("a:\n- b\n- c: d", {"a": ["b", {"c": "d"}]}),
        ("a: {b}", {"a": {"b": None}}),
        ("{a:1}", {"a:1": None}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x {b: 1}\nc: {<<: *x, d: 2}", {"a": {"b": 1}, "c": {"b": 1, "d": 2}}),
        ("a: &x {b: 1}\nc: {<<: *x, b: 2}", {"a": {"b": 1}, "c": {"b": 2}}),
        ("a: &x {b: 1}\nc: {b: 2, <<: *x}", {"a": {"b": 1}, "c": {"b": 1}}),
        (
            "a: &x {b: 1}\nd: &y {b: 3, e: 1}\nc: {<<: [*x, *y]}",
            {"a": {"b": 1}, "d": {"b": 3, "e": 1}, "c": {"b": 1, "e": 1}},
        ),
        ("a: !!str 1", {"a": "1"}),
        ("a: ! 1", {"a": "1"}),
        ("a: 1 # comment", {"a": 1}),
        ('{"a": 1, "b": [true, null, "on"], "c": 1.0}', {"a": 1, "b": [True, None, "on"], "c": 1}),
        ('{"a": "\\ud83d\\udc26"}', {"a": "🐦"}),
        ("a: 'it''s'", {"a": "it's"}),
        ("é: 1", {"é": 1}),
    ],
)
def test_documents_mean_what_they_mean_to_kubernetes(text: str, value: Any) -> None:
    assert _values(text) == [value]


def test_several_documents_and_empty_ones() -> None:
    assert _values("---\na: 1\n---\n# nothing\n---\nb: 2\n...\n") == [{"a": 1}, {"b": 2}]
    assert _values("") == []
    assert _values("# only a comment") == []


def test_every_field_has_its_line() -> None:
    text = "# first\na: 1\nb:\n  - c: x\n    d:\n      e: 2\n  - {f: 3,\n     g: 4}\n---\na: 5\n"
    (_, first), (_, second) = parse_documents(text, "f.yaml")
    assert first.file == "f.yaml"
    assert first.line(("a",)) == 2
    assert first.line(("b",)) == 3
    assert first.line(("b", 0, "d", "e")) == 6
    assert first.line(("b", 1, "f")) == 7
    assert first.line(("b", 1, "g")) == 8
    assert second.line(("a",)) == 10


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", "f.yaml:3: a: duplicate key, first set on line 1; keep one of them"),
        ("a: {b: 1, b: 2}", "f.yaml:1: a.b: duplicate key, first set on line 1; keep one of them"),
        ("on: 1\ntrue: 2", "f.yaml:2: true: duplicate key, first set on line 1; keep one of them"),
        ("a: 1\nb: .inf", "f.yaml:2: b: .inf is not a number that JSON can hold; write a finite number"),
        ("a: *x", "f.yaml:1: a: the anchor &x is not defined before *x"),
        ("a: &x [*x]", "f.yaml:1: a[0]: the anchor &x is not defined before *x"),
        ("a: {<<: 1}", "f.yaml:1: a: << needs a map or a list of maps"),
        ("null: 1", "f.yaml:1: a key must be text; put the key in quotes"),
        ("? [a]\n: 1", "f.yaml:1: a key must be text; put the key in quotes"),
        ('a: "\\ud83d"', "f.yaml:1: a: an escape such as \\ud83d stands alone; write both halves of the pair"),
        ("a: !!int on", "f.yaml:1: a: 'on' is not a value of !!int"),
        ("%YAML 1.2\n---\na: 1", "kubectl cannot read % directives; delete the line that starts with %"),
    ],
)
def test_what_kubernetes_refuses_or_loses_is_refused_by_line(text: str, said: str) -> None:
    assert said in _refusal(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\nb: [1, 2\nc: 3", 3), ("a: b: c", 1), ("a:\n\tb: 1", 2), ("a: 1\n b: 2", 2), ("a: @x", 1), ("a: - b", 1)],
)
def test_syntax_errors_name_file_and_line(text: str, line: int) -> None:
    assert _refusal(text).startswith(f"f.yaml:{line}: YAML syntax error: ")


def test_a_tab_gets_its_own_remedy() -> None:
    assert _refusal("a:\n\tb: 1").endswith("; indent with spaces, not tabs")


def test_all_duplicates_of_a_file_are_reported_at_once() -> None:
    assert _refusal("a: 1\na: 2\n---\nb: 1\nb: 2").count("duplicate key") == 2


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "aliases make more than 1,000,000 values" in _refusal("\n".join(lines))


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.text(st.characters(codec="utf-8", exclude_categories=["C"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abcdefgh", min_size=1), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text("abcdefgh", min_size=1), _JSON))
def test_json_reads_as_itself(value: dict[str, Any]) -> None:
    assert _values(json.dumps(value)) == [value]
