from pathlib import Path
from typing import Any

import pytest
from swiftlet.documents.localpaths import with_absolute_paths


def _object(kind: str, spec: Any) -> dict[str, Any]:
    return {"apiVersion": "swiftlet.dev/v1alpha1", "kind": kind, "metadata": {"name": "a"}, "spec": spec}


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("data/a.jsonl", "file:///base/data/a.jsonl"),
        ("./a b.jsonl", "file:///base/a b.jsonl"),
        ("../a.jsonl", "file:///a.jsonl"),
        ("/x/a.jsonl", "file:///x/a.jsonl"),
        ("file:///x/a.jsonl", "file:///x/a.jsonl"),
        ("configmap://data/a.jsonl", "configmap://data/a.jsonl"),
        ("pvc://claim/a.jsonl", "pvc://claim/a.jsonl"),
        ("hf://org/name/a.jsonl", "hf://org/name/a.jsonl"),
        ("ftp://not/ours", "ftp://not/ours"),
        (3, 3),
    ],
)
def test_local_paths_of_data_become_absolute(given: Any, made: Any) -> None:
    document = _object("FineTuneJob", {"datasets": [{"uri": given}]})
    assert with_absolute_paths(document, Path("/base"))["spec"]["datasets"] == [{"uri": made}]
    assert document["spec"]["datasets"] == [{"uri": given}]


def test_every_uri_of_every_kind_is_made_absolute() -> None:
    run = {
        "target": {"model": {"uri": "m", "adapterUri": "a"}},
        "baseline": {"model": {"uri": "b"}},
        "suites": [{"generation": {"uri": "g"}}, {"perplexity": {"uri": "p"}}, {"multipleChoice": {"uri": "c"}}],
    }
    made = str(with_absolute_paths(_object("EvalRun", run), Path("/base")))
    assert made.count("file:///base/") == 6
    deployment = {"model": {"uri": "m"}, "adapters": [{"name": "x", "uri": "a"}], "api": {"apiKey": {"file": "k"}}}
    spec = with_absolute_paths(_object("ModelDeployment", deployment), Path("/base"))["spec"]
    assert spec["model"]["uri"] == "file:///base/m"
    assert spec["adapters"][0] == {"name": "x", "uri": "file:///base/a"}
    assert spec["api"]["apiKey"]["file"] == "/base/k"


def test_text_that_is_no_path_stays() -> None:
    spec = {"placeholders": {"uri": "x"}, "uri": "x", "template": {"system": "a/b"}}
    assert with_absolute_paths(_object("FineTuneJob", spec), Path("/base"))["spec"] == spec


@pytest.mark.parametrize(
    "spec", [None, [], "x", {"api": []}, {"api": {"apiKey": {"file": 3}}}, {"datasets": {"uri": []}}]
)
def test_documents_of_the_wrong_shape_pass_through(spec: Any) -> None:
    assert with_absolute_paths(_object("ModelDeployment", spec), Path("/base"))["spec"] == spec
