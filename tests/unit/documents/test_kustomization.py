import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
  datasets: [{uri: "configmap://data/train.jsonl"}]
"""
PROFILE = """
apiVersion: swiftlet.dev/v1alpha1
kind: ComputeProfile
metadata: {name: default}
"""


def _data(document: Any) -> Any:
    return document.object.get("data")


def test_resources_and_generated_config_maps(write: Write, tmp_path: Path) -> None:
    write("job.yaml", JOB)
    write("data/train.jsonl", '{"text": "a"}\n')
    text = """
    apiVersion: kustomize.config.k8s.io/v1beta1
    kind: Kustomization
    namespace: birds
    resources: [job.yaml]
    configMapGenerator:
      - name: data
        files: [data/train.jsonl, renamed.jsonl=data/train.jsonl]
        literals: [a=b=c, 'q="quoted"', empty=]
        options: {labels: {x: "y"}, immutable: true}
    generatorOptions: {disableNameSuffixHash: true}
    """
    write("kustomization.yaml", text)
    job, config = read_documents([tmp_path])
    assert job.key == ("FineTuneJob", "birds", "bird")
    assert config.object == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "data", "labels": {"x": "y"}, "namespace": "birds"},
        "immutable": True,
        "data": {
            "a": "b=c",
            "q": "quoted",
            "empty": "",
            "train.jsonl": '{"text": "a"}\n',
            "renamed.jsonl": '{"text": "a"}\n',
        },
    }
    assert config.source.line(("metadata", "name")) == 6


def test_options_of_all_generators_and_of_one_are_merged(write: Write, tmp_path: Path) -> None:
    """As kustomize v5.7.1 builds it: switches by or, labels key by key."""
    text = """
    configMapGenerator:
      - name: a
        literals: [k=v]
        options: {disableNameSuffixHash: false, labels: {own: "1", both: own}}
    generatorOptions:
      {disableNameSuffixHash: true, immutable: true, labels: {all: "2", both: all}, annotations: {note: o}}
    """
    write("kustomization.yaml", text)
    (config,) = read_documents([tmp_path])
    assert config.object["immutable"] is True
    assert config.object["metadata"]["labels"] == {"own": "1", "all": "2", "both": "own"}
    assert config.object["metadata"]["annotations"] == {"note": "o"}


def test_bytes_that_are_not_utf8_go_to_binary_data(write: Write, tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"\xff\x00")
    generator = "configMapGenerator: [{name: d, files: [x.parquet], options: {disableNameSuffixHash: true}}]"
    write("kustomization.yaml", generator)
    (config,) = read_documents([tmp_path])
    assert config.object["binaryData"] == {"x.parquet": base64.b64encode(b"\xff\x00").decode()}


def test_folders_are_read_and_the_namespace_spares_kinds_of_the_cluster(write: Write, tmp_path: Path) -> None:
    write("base/kustomization.yaml", "resources: [profile.yaml]\nconfigMapGenerator: []")
    write("base/profile.yaml", PROFILE)
    write("top/kustomization.yaml", "resources: [../base]\nnamespace: birds")
    (profile,) = read_documents([tmp_path / "top"])
    assert profile.object["metadata"] == {"name": "default"}


def test_a_cycle_of_kustomizations_is_refused(write: Write, refusal: Refusal, tmp_path: Path) -> None:
    write("a/kustomization.yaml", "resources: [../b]")
    write("b/kustomization.yaml", "resources: [../a]")
    (said,) = refusal(tmp_path / "a")
    assert "b/kustomization.yaml:1: resources[0]: " in said
    assert "is a cycle of kustomizations: a → b → a; take one of them out" in said


def test_a_missing_name_suffix_hash_setting_says_why_and_how(write: Write, refusal: Refusal, tmp_path: Path) -> None:
    write("kustomization.yaml", "configMapGenerator:\n  - name: data\n    literals: [a=b]\n")
    assert refusal(tmp_path) == [
        'kustomization.yaml:2: configMapGenerator[0].name: "data" would get a hash behind its name; '
        "set generatorOptions.disableNameSuffixHash: true, since kustomize renames no configmap:// URI"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "commonLabels: {a: b}",
            "kustomization.yaml:1: commonLabels: is a field of kustomize that is not supported here; let kustomize",
        ),
        ("resorces: []", "kustomization.yaml:1: resorces: is not supported here; did you mean resources?"),
        ("resources: a.yaml", 'kustomization.yaml:1: resources: "a.yaml" must be a list; write each item after a `-`'),
        (
            "resources: [jbo.yaml]",
            'kustomization.yaml:1: resources[0]: "jbo.yaml" does not exist; did you mean job.yaml?',
        ),
        (
            "resources: [https://x/y]",
            'kustomization.yaml:1: resources[0]: "https://x/y" must be a local file or folder; copy',
        ),
        ("resources: [/etc/hosts]", 'kustomization.yaml:1: resources[0]: "/etc/hosts" lies outside the folder, which'),
        (
            "resources: [empty]",
            'kustomization.yaml:1: resources[0]: "empty" is a folder without a kustomization.yaml; add',
        ),
        (
            "configMapGenerator: [{}]",
            "kustomization.yaml:1: configMapGenerator[0].name: is required; name the ConfigMap",
        ),
        (
            "configMapGenerator: [{name: a, envs: [x], OPT}]",
            "kustomization.yaml:1: configMapGenerator[0].envs: is a field of kustomize",
        ),
        (
            "configMapGenerator: [{name: a, files: [x.txt], OPT}]",
            'kustomization.yaml:1: configMapGenerator[0].files[0]: "x.t',
        ),
        (
            "configMapGenerator: [{name: a, files: [../x], OPT}]",
            'kustomization.yaml:1: configMapGenerator[0].files[0]: "../',
        ),
        (
            "configMapGenerator: [{name: a, literals: [x], OPT}]",
            'kustomization.yaml:1: configMapGenerator[0].literals[0]: "x"',
        ),
        (
            "configMapGenerator: [{name: a, literals: [x=1, x=2], OPT}]",
            "kustomization.yaml:1: configMapGenerator[0].literals",
        ),
        (
            "configMapGenerator: [{name: a, literals: ['a b=1'], OPT}]",
            "kustomization.yaml:1: configMapGenerator[0].literals",
        ),
        (
            "generatorOptions: {hash: no}",
            "kustomization.yaml:1: generatorOptions.hash: is not supported here; take it out;",
        ),
        (
            "configMapGenerator: [{name: a, options: [x]}]",
            "kustomization.yaml:1: configMapGenerator[0].options: must be an object",
        ),
        ("generatorOptions: [a]", "kustomization.yaml:1: generatorOptions: must be an object"),
        ("- a", "kustomization.yaml: must hold one object; write resources: and the files to read"),
        ("", "kustomization.yaml: must hold one object; write resources: and the files to read"),
        ("resources: [", "kustomization.yaml:2: YAML syntax error"),
    ],
)
def test_what_is_not_read_is_refused_by_name(
    write: Write, refusal: Refusal, tmp_path: Path, text: str, said: str
) -> None:
    write("job.yaml", PROFILE)
    (tmp_path / "empty").mkdir()
    write("kustomization.yaml", text.replace("OPT", "options: {disableNameSuffixHash: true}") + "\n")
    line = refusal(tmp_path)[0]
    assert line.startswith(said)


def test_problems_of_its_resources_are_reported_too(write: Write, refusal: Refusal, tmp_path: Path) -> None:
    write("job.yaml", JOB.replace("uri: hf", "url: hf"))
    write("kustomization.yaml", "resources: [job.yaml]\npatches: []\n")
    said = refusal(tmp_path)
    assert any(line.startswith("job.yaml:5: spec.model.url: unknown field; did you mean uri?") for line in said)
    assert any(line.startswith("kustomization.yaml:2: patches: is a field of kustomize") for line in said)


@pytest.mark.parametrize(
    "name",
    [
        *("secretGenerator", "namePrefix", "nameSuffix", "buildMetadata", "labels", "commonAnnotations", "images"),
        *("patches", "components", "replacements", "helmCharts", "bases", "crds", "vars", "transformers", "openapi"),
    ],
)
def test_a_field_of_kustomize_is_never_taken_for_another(
    write: Write, refusal: Refusal, tmp_path: Path, name: str
) -> None:
    write("job.yaml", PROFILE)
    write("kustomization.yaml", f"resources: [job.yaml]\n{name}: []\n")
    assert refusal(tmp_path) == [
        f"kustomization.yaml:2: {name}: is a field of kustomize that is not supported here;"
        " let kustomize read it: kustomize build . | swiftlet run -"
    ]


def test_a_typo_still_gets_the_nearest_field(write: Write, refusal: Refusal, tmp_path: Path) -> None:
    write("kustomization.yaml", "resource: []\n")
    assert refusal(tmp_path)[0].endswith("resource: is not supported here; did you mean resources?")
