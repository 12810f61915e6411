from collections.abc import Callable
from pathlib import Path

import pytest
from swiftlet.documents import read_documents

Write = Callable[[str, str], Path]
Refusal = Callable[..., list[str]]

JOB = """
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {name: bird}
spec:
  model: {uri: hf://org/name}
  datasets: [{uri: "pvc://claim/train.jsonl"}]
"""
PROFILE = """
apiVersion: swiftlet.dev/v1alpha1
kind: ComputeProfile
metadata: {name: default}
"""


def test_a_file_with_several_documents(write: Write) -> None:
    documents = read_documents([write("a.yaml", JOB + "---" + PROFILE)])
    assert [document.key for document in documents] == [
        ("FineTuneJob", "default", "bird"),
        ("ComputeProfile", "", "default"),
    ]
    assert documents[1].source.line(("kind",)) == 9


def test_documents_are_not_defaulted(write: Write) -> None:
    (document,) = read_documents([write("a.yaml", JOB)])
    assert set(document.object["spec"]) == {"model", "datasets"}


def test_a_json_file_and_a_byte_order_mark(write: Write) -> None:
    text = '{"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ComputeProfile", "metadata": {"name": "a"}}'
    assert read_documents([write("a.json", text)])[0].name == "a"
    assert read_documents([write("b.yaml", "\ufeff" + PROFILE.lstrip())])[0].name == "default"


def test_a_folder_gives_its_files_by_name(write: Write, tmp_path: Path) -> None:
    write("b.yaml", JOB)
    write("a.yml", PROFILE)
    write("notes.txt", "not: [yaml")
    assert [document.kind for document in read_documents([tmp_path])] == ["ComputeProfile", "FineTuneJob"]


def test_a_missing_file_and_an_empty_folder(write: Write, refusal: Refusal, tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.yaml") == ["none.yaml: cannot be read: No such file or directory; check the path"]
    (tmp_path / "empty").mkdir()
    assert refusal(tmp_path / "empty") == [
        "empty: holds no documents; name a folder with a kustomization.yaml or with *.yaml files"
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n---\n"])
def test_an_empty_file_is_refused(write: Write, refusal: Refusal, text: str) -> None:
    assert refusal(write("a.yaml", text)) == ["a.yaml: holds no documents; write a resource, or leave the file out"]


def test_a_file_that_is_not_utf8_names_line_and_byte(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "a.yaml").write_bytes(b"a: 1\nb: caf\xe9\n")
    assert refusal(tmp_path / "a.yaml") == ["a.yaml:2: is not UTF-8 (byte 11); save it as UTF-8"]


def test_a_syntax_error_names_file_and_line(write: Write, refusal: Refusal) -> None:
    (said,) = refusal(write("a.yaml", "kind: x\nspec: [1\nmore: 2\n"))
    assert said.startswith("a.yaml:3: YAML syntax error: ")


@pytest.mark.parametrize(
    ("kind", "version", "said"),
    [
        (
            "FinetuneJob",
            "swiftlet.dev/v1alpha1",
            'a.yaml:2: kind: "FinetuneJob" is an unknown kind; did you mean FineTuneJob?',
        ),
        ("Pod", "v1", 'a.yaml:2: kind: "Pod" is an unknown kind; the kinds are FineTuneJob, EvalRun, ModelDeployment,'),
        (
            "EvalRun",
            "swiftlet.dev/v1",
            'a.yaml:1: apiVersion: "swiftlet.dev/v1" is an unknown apiVersion of EvalRun; write',
        ),
        ("[]", "v1", "a.yaml:2: kind: [] is an unknown kind"),
        ("on", "v1", "a.yaml:2: kind: true is an unknown kind"),
    ],
)
def test_an_unknown_kind_or_version(write: Write, refusal: Refusal, kind: str, version: str, said: str) -> None:
    (line,) = refusal(write("a.yaml", f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: a}}\n"))
    assert line.startswith(said)


def test_documents_without_kind_or_version_or_form(write: Write, refusal: Refusal) -> None:
    said = refusal(write("a.yaml", "metadata: {}\n---\nkind: EvalRun\n---\n- a\n---\njust text\n"))
    assert [line.partition(";")[0] for line in said] == [
        "a.yaml:1: kind: is required",
        "a.yaml:3: apiVersion: is required",
        "a.yaml:5: is not an object",
        "a.yaml:7: is not an object",
    ]


def test_duplicate_names_over_files(write: Write, refusal: Refusal) -> None:
    assert refusal(write("a.yaml", JOB), write("b.yaml", JOB)) == [
        'b.yaml:3: metadata.name: "bird" is the name of another FineTuneJob too (a.yaml:3); rename one of them'
    ]


def test_the_same_name_in_another_namespace_or_kind_is_fine(write: Write) -> None:
    other = JOB.replace("{name: bird}", "{name: bird, namespace: other}")
    assert len(read_documents([write("a.yaml", JOB), write("b.yaml", other)])) == 2


def test_every_problem_of_every_file_is_reported_at_once(write: Write, refusal: Refusal) -> None:
    bad = JOB.replace("hf://org/name", "ftp://x") + "  training: {epoch: 3, seed: '1'}\n  suspend: maybe\n"
    said = refusal(write("a.yaml", bad), write("b.yaml", "kind: [\n"), write("c.yaml", "kind: Nope\n"))
    assert [line.split(" ")[0] + " " + line.split(" ")[1] for line in said] == [
        "a.yaml:5: spec.model.uri:",
        "a.yaml:7: spec.training.seed:",
        "a.yaml:7: spec.training.epoch:",
        "a.yaml:8: spec.suspend:",
        "b.yaml:2: YAML",
        "c.yaml:1: kind:",
    ]


def test_without_check_only_the_form_is_read(write: Write) -> None:
    (document,) = read_documents([write("a.yaml", JOB + "  zzz: 1\n")], check=False)
    assert document.object["spec"]["zzz"] == 1


def test_a_kustomization_is_named_by_its_folder(write: Write, refusal: Refusal) -> None:
    assert refusal(write("kustomization.yaml", "resources: []")) == [
        "kustomization.yaml: is a kustomization; name its folder: ."
    ]


def test_no_paths_are_no_documents(refusal: Refusal) -> None:
    assert refusal() == [".: holds no documents; name a file with resources"]


@pytest.mark.parametrize(
    "content",
    [
        '[{"instruction": "Say hello.", "output": "Ahoy!"}]',
        '{"prompt": "a", "completion": "b"}\n{"prompt": "c", "completion": "d"}\n',
        '{"results": [], "comparison": []}',
        '{"version": "1.0", "added_tokens": []}',
        '[{"text": "\x80"}]',
        "[" * 100_000,
        "",
    ],
)
def test_data_beside_documents_is_left_out_of_a_folder(write: Write, refusal: Refusal, content: str) -> None:
    job = write("folder/job.yaml", JOB)
    data = write("folder/chats.json", content)
    assert [document.name for document in read_documents([job.parent])] == ["bird"]
    assert refusal(data), "a file that is named itself is read"


@pytest.mark.parametrize("content", ['{"kind": "FineTuneJob"}', '{"apiVersion": "swiftlet.dev/v1alpha1",}'])
def test_a_document_that_is_wrong_is_not_taken_for_data(write: Write, refusal: Refusal, content: str) -> None:
    job = write("folder/job.yaml", JOB)
    write("folder/other.json", content)
    assert any("other.json" in line for line in refusal(job.parent))
