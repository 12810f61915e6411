"""Lists, streams of JSON and standard input: what programs write, documents read."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet.documents import read_documents
from swiftlet.documents.jsonstream import json_texts
from swiftlet.documents.lists import LISTS

Write = Callable[[str, str], Path]
Refusal = Callable[..., list[str]]

PROFILE = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile"}


def profile(name: str, **spec: Any) -> dict[str, Any]:
    return {**PROFILE, "metadata": {"name": name}, "spec": spec}


def config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}}


def written(kind: str, *items: Any) -> dict[str, Any]:
    return {"apiVersion": LISTS[kind], "kind": kind, "metadata": {"resourceVersion": "7"}, "items": list(items)}


@pytest.mark.parametrize(
    "value",
    [
        written("List", profile("a"), config_map("b")),
        written("List", written("ComputeProfileList", profile("a")), written("List", config_map("b"))),
        written("List", written("ComputeProfileList", {"metadata": {"name": "a"}}), config_map("b")),
        written("List", profile("a"), config_map("b"), written("SecretList")),
    ],
)
@pytest.mark.parametrize("ending", ["yaml", "json"])
def test_the_items_of_a_list_are_documents(write: Write, value: Any, ending: str) -> None:
    documents = read_documents([write(f"a.{ending}", json.dumps(value))])
    assert [document.name for document in documents] == ["a", "b"]


def test_an_item_keeps_its_lines_and_its_folder(write: Write, refusal: Refusal) -> None:
    text = """
    apiVersion: v1
    kind: List
    items:
    - apiVersion: swiftlet.dev/v1alpha1
      kind: ModelDeployment
      metadata: {name: a}
      spec:
        model: {uri: ./modle}
    - apiVersion: swiftlet.dev/v1alpha1
      kind: ComputeProfile
      metadata: {name: b}
      spec: {imagez: 1}
    - kind: Pod
    - 3
    """
    write("sub/model/config.json", "{}")
    said = refusal(write("sub/a.yaml", text))
    assert [line.partition(";")[0] for line in said] == [
        'sub/a.yaml:8: spec.model.uri: "./modle" does not exist',
        "sub/a.yaml:12: spec.imagez: unknown field",
        'sub/a.yaml:13: kind: "Pod" is an unknown kind',
        "sub/a.yaml:14: is not an object",
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (written("List"), "a.json: holds no documents"),
        ({**written("List"), "items": None}, "a.json: holds no documents"),
        ({**written("List"), "items": {}}, "a.json:1: items: must be a list"),
        (
            {**written("List"), "apiVersion": "v2"},
            'a.json:1: apiVersion: "v2" is an unknown apiVersion of List; write v1',
        ),
        (
            {**written("EvalRunList"), "apiVersion": "v1"},
            'a.json:1: apiVersion: "v1" is an unknown apiVersion of EvalRunList; write swiftlet.dev/v1alpha1',
        ),
    ],
)
def test_a_list_that_is_wrong_says_why(write: Write, refusal: Refusal, value: Any, said: str) -> None:
    (line,) = refusal(write("a.json", json.dumps(value)))
    assert line.startswith(said)


@pytest.mark.parametrize("between", ["", " ", "\n", "\r\n\n"])
def test_json_objects_one_behind_another(write: Write, between: str) -> None:
    text = between.join(json.dumps(value, indent=2) for value in (profile("a"), config_map("b"), profile("c")))
    documents = read_documents([write("a.json", text)])
    assert [document.name for document in documents] == ["a", "b", "c"]
    lines = text.splitlines()
    for document in documents:
        at = document.source.line(("metadata", "name"))
        assert at is not None
        if between:
            assert f'"name": "{document.name}"' in lines[at - 1]


def test_each_problem_of_a_json_stream_has_its_line(write: Write, refusal: Refusal) -> None:
    text = (
        json.dumps(profile("a")) + "\n\n" + json.dumps(profile("b", imagez=1)) + '\n{"kind": "List", "kind": 1}\n{bad\n'
    )
    said = refusal(write("a.json", text))
    assert [line.split(": ")[0] for line in said] == ["a.json:4", "a.json:6"]
    good = text.replace("{bad", "").replace(', "kind": 1', ', "apiVersion": "v1"')
    assert refusal(write("a.json", good))[0].startswith("a.json:3: spec.imagez: unknown field")


@given(st.lists(st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=8), max_size=3), min_size=2))
def test_a_stream_is_split_where_its_objects_end(values: list[dict[str, Any]]) -> None:
    text = "\n".join(json.dumps(value) for value in values)
    assert [json.loads(part) for part, _ in json_texts(text)] == values
    assert [before for _, before in json_texts(text)] == list(range(len(values)))


@pytest.mark.parametrize("text", ["{a: 1}", "{}\n---\n{}", "{}", "", "a: {}", "{a: 1}\nb: 2", '{"a": 1}, 2'])
def test_other_text_is_left_to_yaml(text: str) -> None:
    assert json_texts(text) == [(text, 0)]


def test_a_dash_is_standard_input(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, write: Write, refusal: Refusal
) -> None:
    write("model/config.json", "{}")
    monkeypatch.chdir(tmp_path)
    served = {**PROFILE, "kind": "ModelDeployment", "metadata": {"name": "a"}, "spec": {"model": {"uri": "./model"}}}

    def given_on_stdin(value: Any) -> None:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(json.dumps(value).encode())))

    given_on_stdin(written("List", served, profile("b")))
    documents = read_documents([Path("-")])
    assert documents[0].object["spec"]["model"]["uri"] == f"file://{tmp_path}/model"
    given_on_stdin(profile("c"))
    assert [one.name for one in read_documents([Path("-"), write("d.json", json.dumps(profile("d"))), Path("-")])] == [
        "c",
        "d",
    ]
    given_on_stdin(profile("c", imagez=1))
    assert refusal(Path("-"))[0].startswith("stdin:1: spec.imagez: unknown field")
