import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet.api.v1alpha1.uris import DATA_URI_PATTERN, LEAVES_PATTERN, MODEL_URI_PATTERN, Uri, parse_uri, scheme_of


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
    assert scheme_of(uri).is_local is (uri.scheme == "file")


@pytest.mark.parametrize("text", ["hf://org/name", "hf://org/name@main", "pvc://claim/m", "models/m", "file:///m"])
def test_models_by_scheme(text: str) -> None:
    assert re.fullmatch(MODEL_URI_PATTERN, text)


@pytest.mark.parametrize("text", ["hf://name", "ftp://bucket/x", "configmap://a/b", "pvc://claim", "a b", ""])
def test_what_is_not_a_model_is_refused(text: str) -> None:
    assert not re.fullmatch(MODEL_URI_PATTERN, text)


PARTS = st.sampled_from(["", ".", "..", "%2e.", ".%2E", "...", "..a", "a..", ".a", "a", "a b"])
SEPARATORS = st.sampled_from(["/", "\\", "%2f", "%5C"])
BAD = {"", ".", ".."}


@given(st.sampled_from(["pvc://claim/", "hf://org/name/", "hf://org/name@main/"]), st.data())
def test_no_part_of_a_path_is_empty_or_dots_however_it_is_written(place: str, data: st.DataObject) -> None:
    parts = data.draw(st.lists(PARTS, min_size=1, max_size=5))
    path = parts[0] + "".join(data.draw(SEPARATORS) + part for part in parts[1:])
    read = [part.lower().replace("%2e", ".") for part in parts]
    leaves = any(part in BAD for part in read[:-1]) or read[-1] in {".", ".."}
    assert bool(re.search(LEAVES_PATTERN, place + path)) == leaves


@pytest.mark.parametrize(
    "text", ["hf://../../x", "hf://./name/x", "hf://org/..@main/x", "hf://org/name@../x", "configmap://rows/.."]
)
def test_nor_are_organisation_name_revision_and_key(text: str) -> None:
    assert re.search(LEAVES_PATTERN, text)


@pytest.mark.parametrize("text", ["../rows/a.jsonl", "./a", "file:///a/../b", "a//b"])
def test_a_local_path_is_its_authors_own(text: str) -> None:
    assert not re.search(LEAVES_PATTERN, text)
