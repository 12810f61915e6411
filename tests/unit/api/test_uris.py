import re

import pytest
from swiftlet.api.uris import DATA_URI_PATTERN, MODEL_URI_PATTERN, Uri, parse_uri


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("configmap://data/train.jsonl", Uri("configmap", "data", "train.jsonl")),
        ("pvc://claim/a/b.csv", Uri("pvc", "claim", "a/b.csv")),
        ("hf://org/name@rev/data/train.csv", Uri("hf", "org/name", "data/train.csv", "rev")),
        ("hf://org/name/train.csv", Uri("hf", "org/name", "train.csv")),
        ("file:///a/b", Uri("file", "", "/a/b")),
        ("./a b.jsonl", Uri("file", "", "./a b.jsonl")),
        ("../a", Uri("file", "", "../a")),
        ("data/a.jsonl", Uri("file", "", "data/a.jsonl")),
    ],
)
def test_data_sources_by_scheme(text: str, uri: Uri) -> None:
    assert re.fullmatch(DATA_URI_PATTERN, text)
    assert parse_uri(text) == uri
    assert parse_uri(text).is_local is (uri.scheme == "file")


@pytest.mark.parametrize("text", ["hf://org/name", "hf://org/name@main", "pvc://claim/m", "models/m", "file:///m"])
def test_models_by_scheme(text: str) -> None:
    assert re.fullmatch(MODEL_URI_PATTERN, text)


@pytest.mark.parametrize("text", ["hf://name", "s3://bucket/x", "configmap://a/b", "pvc://claim", "a b", ""])
def test_what_is_not_a_model_is_refused(text: str) -> None:
    assert not re.fullmatch(MODEL_URI_PATTERN, text)
