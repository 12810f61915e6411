"""What a document names on this machine is there, and is what it is named as."""

from collections.abc import Callable
from pathlib import Path

import pytest
from swiftlet.api.v1alpha1.uris import DATA_ENDINGS
from swiftlet.documents import read_documents

Write = Callable[[str, str], Path]
Refusal = Callable[..., list[str]]

HEAD = "apiVersion: swiftlet.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: a}}\nspec:\n  {spec}\n"
SPECS = {
    "data": ("FineTuneJob", "{model: {uri: hf://o/n}, datasets: [{uri: '%s'}]}", "spec.datasets[0].uri"),
    "trained model": ("FineTuneJob", "{model: {uri: '%s'}, datasets: [{uri: pvc://c/a.csv}]}", "spec.model.uri"),
    "suite": (
        "EvalRun",
        "{target: {model: {uri: hf://o/n}}, suites: [{perplexity: {uri: '%s'}}]}",
        "spec.suites[0].perplexity.uri",
    ),
    "measured adapter": (
        "EvalRun",
        "{target: {model: {uri: hf://o/n, adapterUri: '%s'}}, suites: [{perplexity: {uri: pvc://c/a.csv}}]}",
        "spec.target.model.adapterUri",
    ),
    "baseline": (
        "EvalRun",
        "{target: {model: {uri: hf://o/n}}, baseline: {model: {uri: '%s'}},"
        " suites: [{perplexity: {uri: pvc://c/a.csv}}]}",
        "spec.baseline.model.uri",
    ),
    "served model": ("ModelDeployment", "{model: {uri: '%s'}}", "spec.model.uri"),
    "served adapter": (
        "ModelDeployment",
        "{model: {uri: hf://o/n}, adapters: [{name: b, uri: '%s'}]}",
        "spec.adapters[0].uri",
    ),
    "key": ("ModelDeployment", "{model: {uri: hf://o/n}, api: {apiKey: {file: '%s'}}}", "spec.api.apiKey.file"),
}


@pytest.fixture
def folder(tmp_path: Path, write: Write) -> Path:
    """A folder with one good thing of every sort, and with bad ones."""
    write("chats.jsonl", "{}")
    write("empty.jsonl", "")
    write("notes.txt", "x")
    write("key", "secret")
    write("model/config.json", "{}")
    write("adapter/adapter_config.json", "{}")
    write("runs/last/config.json", "{}")
    write("bare/README.md", "x")
    (tmp_path / "linked.jsonl").symlink_to(write("blob", "{}"))
    (tmp_path / "dangling.jsonl").symlink_to(tmp_path / "gone")
    return tmp_path


@pytest.fixture
def naming(folder: Path, write: Write) -> Callable[[str, str], Path]:
    """A document that names `path` in one of its fields."""

    def document(field: str, path: str) -> Path:
        kind, spec, _ = SPECS[field]
        return write("a.yaml", HEAD.format(kind=kind, spec=spec % path))

    return document


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("./chats.jsonl", ["data", "suite"]),
        ("linked.jsonl", ["data", "suite"]),
        ("./model", ["trained model", "baseline", "served model"]),
        ("adapter/", ["measured adapter", "served adapter"]),
        ("./key", ["key"]),
    ],
)
def test_what_is_there_is_fine(naming: Callable[[str, str], Path], path: str, fields: list[str]) -> None:
    for field in fields:
        assert read_documents([naming(field, path)])


@pytest.mark.parametrize("field", SPECS)
def test_what_is_not_there_is_named_with_field_line_and_the_authors_path(
    naming: Callable[[str, str], Path], refusal: Refusal, field: str
) -> None:
    (said,) = refusal(naming(field, "./nothing/like/it"))
    assert said.startswith(f'a.yaml:5: {SPECS[field][2]}: "./nothing/like/it" does not exist; there is no nothing in .')


@pytest.mark.parametrize(
    ("field", "path", "said"),
    [
        ("data", "./chatz.jsonl", "does not exist; did you mean chats.jsonl?"),
        ("suite", "chats.json", "does not exist; did you mean chats.jsonl?"),
        ("data", "./zzzzzzzz.csv", "there is no zzzzzzzz.csv in ., which has chats.jsonl, empty.jsonl, linked.jsonl"),
        ("data", "dangling.jsonl", "is a link to nothing"),
        ("data", "notes.txt", "ends in .txt, which no reader takes; data is read from .jsonl, .json, .csv, .parquet"),
        ("suite", "key", "has no ending, by which a reader is chosen"),
        ("data", "./empty.jsonl", "is empty; write its rows first"),
        ("data", "chats.jsonl/x.jsonl", "does not exist; chats.jsonl is a file"),
        ("data", "bare", "is a folder; name a file in it"),
        ("data", "x" * 300 + ".jsonl", "cannot be read"),
        ("trained model", "./modle", "does not exist; did you mean model?"),
        (
            "served model",
            "bare",
            "holds no model (it has no config.json); name the folder that",
        ),
        ("served model", "runs", "did you mean its folder last?"),
        ("served model", "runz/last", "does not exist; did you mean runs?"),
        ("baseline", "chats.jsonl", "is a file; name the folder that holds config.json"),
        ("served model", "adapter", "is an adapter and no model"),
        ("served adapter", "model", "is a model and no adapter"),
        ("measured adapter", "bare", "holds no adapter (it has no adapter_config.json)"),
        ("key", "kez", "does not exist; did you mean key?"),
        ("key", "bare", "is a folder"),
    ],
)
def test_each_mistake_has_its_remedy(
    naming: Callable[[str, str], Path], refusal: Refusal, field: str, path: str, said: str
) -> None:
    (line,) = refusal(naming(field, path))
    assert said in line


@pytest.mark.parametrize("uri", ["configmap://rows/a.txt", "pvc://claim/a.txt", "hf://o/n/a.txt", "hf://o/n/rows"])
def test_an_ending_that_nobody_reads_is_refused_wherever_it_lies(write: Write, refusal: Refusal, uri: str) -> None:
    kind, spec, field = SPECS["data"]
    rows = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: rows}\ndata: {a.txt: x}\n"
    (line,) = refusal(write("a.yaml", HEAD.format(kind=kind, spec=spec % uri) + rows))
    assert line.startswith(f'a.yaml:5: {field}: "{uri}" ')
    assert line.endswith(f"data is read from {', '.join(DATA_ENDINGS)}")


def test_all_paths_of_all_documents_are_told_at_once_also_of_those_that_are_wrong_elsewhere(
    write: Write, refusal: Refusal
) -> None:
    text = "{model: {uri: ./m}, datasets: [{uri: ./a.csv}, {uri: ./b.csv}], trainin: {}}"
    first = write("a.yaml", HEAD.format(kind="FineTuneJob", spec=text))
    second = write("b.yaml", HEAD.format(kind="ModelDeployment", spec="{model: {uri: ./m}}"))
    said = refusal(first, second)
    assert [line.split(": ")[1] for line in said if "does not exist" in line] == [
        *("spec.model.uri", "spec.datasets[0].uri", "spec.datasets[1].uri", "spec.model.uri")
    ]
    assert any("spec.trainin: unknown field" in line for line in said)


def test_a_path_is_relative_to_its_own_document_in_a_kustomization_too(
    write: Write, refusal: Refusal, tmp_path: Path
) -> None:
    write("inner/kustomization.yaml", "resources: [job.yaml]")
    kind, spec, _ = SPECS["data"]
    write("inner/job.yaml", HEAD.format(kind=kind, spec=spec % "./rowz.csv"))
    write("kustomization.yaml", "namespace: team\nresources: [inner]")
    write("inner/rows.csv", "a,b\n1,2\n")
    (line,) = refusal(tmp_path)
    assert line == 'inner/job.yaml:5: spec.datasets[0].uri: "./rowz.csv" does not exist; did you mean rows.csv?'


def test_what_is_only_deleted_need_not_be_there(naming: Callable[[str, str], Path]) -> None:
    assert read_documents([naming("data", "./chatz.jsonl")], check=False)
