from collections.abc import Callable
from pathlib import Path

import pytest
from swiftlet.documents import read_documents
from swiftlet.documents.plain import MOST_BYTES, decoded

Write = Callable[[str, str], Path]
Refusal = Callable[..., list[str]]


def test_values_are_decoded(write: Write) -> None:
    text = """
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: data.set}
    data: {a.jsonl: text}
    binaryData: {b: /w==}
    ---
    apiVersion: v1
    kind: Secret
    metadata: {name: key}
    data: {a: aGk=, b: b2xk}
    stringData: {b: new}
    type: Opaque
    """
    config, secret = read_documents([write("a.yaml", text)])
    assert decoded(config.object) == {"a.jsonl": b"text", "b": b"\xff"}
    assert decoded(secret.object) == {"a": b"hi", "b": b"new"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: ConfigMap\nmetadata: {name: a}\ndta: {}", "a.yaml:4: dta: unknown field; did you mean data?"),
        (
            "kind: ConfigMap\nmetadata: {}",
            "a.yaml:3: metadata.name: is required; use lower-case letters, digits, - and .",
        ),
        ("kind: ConfigMap\nmetadata: {name: A}", 'a.yaml:3: metadata.name: "A" is not a name; use lower-case letters,'),
        ("kind: ConfigMap\nmetadata: {name: a}\ndata: [x]", "a.yaml:4: data: must be a map of keys to text"),
        ("kind: ConfigMap\nmetadata: {name: a}\ndata: {k: on}", "a.yaml:4: data.k: must be a string; put it in quotes"),
        (
            "kind: ConfigMap\nmetadata: {name: a}\ndata: {a b: x}",
            'a.yaml:4: data[a b]: "a b" is not a key; use letters',
        ),
        (
            "kind: Secret\nmetadata: {name: a}\ndata: {k: hunter2!}",
            "a.yaml:4: data.k: is not base64; encode it, or move it to stringData as text",
        ),
    ],
)
def test_bad_entries_are_refused(write: Write, refusal: Refusal, text: str, said: str) -> None:
    (line,) = refusal(write("a.yaml", f"apiVersion: v1\n{text}\n"))
    assert line.startswith(said)


def test_values_of_a_secret_are_never_shown(write: Write, refusal: Refusal) -> None:
    said = refusal(write("a.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {k: hunter2!, b: 77}\n"))
    assert len(said) == 2
    assert not any("hunter2" in line or "77" in line for line in said)


def test_more_than_kubernetes_stores_is_refused_with_a_remedy(write: Write, refusal: Refusal) -> None:
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{k: {'x' * (MOST_BYTES + 1)}}}\n"
    assert refusal(write("a.yaml", text)) == [
        "a.yaml:1: holds 1,048,577 bytes; a ConfigMap may hold 1,048,576; keep large data on a volume: pvc://claim/path"
    ]
