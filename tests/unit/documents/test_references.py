from collections.abc import Callable
from pathlib import Path

import pytest
from swiftlet.documents import read_documents
from swiftlet.documents.document import Key
from swiftlet.documents.references import cycles, references_of

Write = Callable[[str, str], Path]
Refusal = Callable[..., list[str]]

CHAIN = """
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {name: bird}
spec:
  model: {uri: "hf://org/name"}
  datasets: [{uri: "configmap://data/train.jsonl"}]
---
apiVersion: swiftlet.dev/v1alpha1
kind: EvalRun
metadata: {name: bird-eval}
spec:
  target: {fineTuneJobRef: {name: bird}}
  suites: [{generation: {uri: "configmap://data/questions.jsonl"}}]
---
apiVersion: swiftlet.dev/v1alpha1
kind: ModelDeployment
metadata: {name: bird}
spec:
  model: {fineTuneJobRef: {name: bird}}
  requires: [{evalRunRef: {name: bird-eval}}]
  api: {apiKey: {secretRef: {name: key, key: token}}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: data}
data: {train.jsonl: "{}", questions.jsonl: "{}"}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {token: x}
"""


def test_a_chain_whose_references_are_met(write: Write) -> None:
    assert len(read_documents([write("a.yaml", CHAIN)])) == 5


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "target: {fineTuneJobRef: {name: bird}}",
            "target: {fineTuneJobRef: {name: brid}}",
            'a.yaml:12: spec.target.fineTuneJobRef.name: "brid" names a FineTuneJob that does not exist; did you mean'
            " bird?",
        ),
        (
            "evalRunRef: {name: bird-eval}",
            "evalRunRef: {name: other}",
            'a.yaml:20: spec.requires[0].evalRunRef.name: "other" names a EvalRun that does not exist; add the EvalRun,'
            " or apply it first",
        ),
        (
            "configmap://data/train.jsonl",
            "configmap://dta/train.jsonl",
            'a.yaml:6: spec.datasets[0].uri: "dta" names a ConfigMap that does not exist; did you mean data?',
        ),
        (
            "configmap://data/train.jsonl",
            "configmap://data/trian.jsonl",
            "a.yaml:6: spec.datasets[0].uri: trian.jsonl is not a key of ConfigMap data; did you mean train.jsonl? its"
            " keys are questions.jsonl, train.jsonl",
        ),
        (
            "key: token",
            "key: password",
            "a.yaml:21: spec.api.apiKey.secretRef.name: password is not a key of Secret key; its keys are token",
        ),
        (
            "datasets:",
            "compute: {profileRef: {name: big}}\n  datasets:",
            'a.yaml:6: spec.compute.profileRef.name: "big" names a ComputeProfile that does not exist; add the',
        ),
    ],
)
def test_a_reference_to_nothing_offers_the_nearest_name(
    write: Write, refusal: Refusal, old: str, new: str, said: str
) -> None:
    (line,) = refusal(write("a.yaml", CHAIN.replace(old, new)))
    assert line.startswith(said)


def test_the_default_profile_need_not_exist(write: Write) -> None:
    text = CHAIN.replace("datasets:", "compute: {profileRef: {name: default}}\n  datasets:")
    assert read_documents([write("a.yaml", text)])


def test_references_stay_in_their_namespace(write: Write, refusal: Refusal) -> None:
    text = CHAIN.replace("metadata: {name: bird-eval}", "metadata: {name: bird-eval, namespace: birds}")
    said = refusal(write("a.yaml", text))
    assert sum("in namespace birds" in line for line in said) == 2
    assert any('"bird-eval" names a EvalRun that does not exist' in line for line in said)


def test_objects_that_exist_already_meet_references(write: Write, refusal: Refusal) -> None:
    job, rest = CHAIN.split("---", 1)
    (existing,) = read_documents([write("job.yaml", job)], check=False)
    assert read_documents([write("rest.yaml", rest)], existing=[existing.object])
    assert len(refusal(write("rest.yaml", rest))) == 2


def test_what_is_applied_counts_before_what_it_replaces(write: Write) -> None:
    old = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "data"}, "data": {"old.jsonl": ""}}
    assert read_documents([write("a.yaml", CHAIN)], existing=[old])


def test_references_are_not_judged_when_a_file_could_not_be_read(write: Write, refusal: Refusal) -> None:
    _, rest = CHAIN.split("---", 1)
    assert len(refusal(write("rest.yaml", rest), write("job.yaml", "kind: [\n"))) == 1


def test_a_document_with_problems_can_still_be_referenced(write: Write, refusal: Refusal) -> None:
    (said,) = refusal(write("a.yaml", CHAIN.replace('uri: "hf://org/name"', 'uri: "ftp://x"')))
    assert "is not a model" in said


def test_references_name_kind_namespace_and_key() -> None:
    secret = {"name": "s", "key": "k"}
    item = {
        "kind": "ModelDeployment",
        "metadata": {"name": "a", "namespace": "n"},
        "spec": {"api": {"apiKey": {"secretRef": secret}}, "compute": {"profileRef": {"name": "p"}}},
    }
    found = {(reference.target, reference.key) for reference in references_of(item)}
    assert found == {(("Secret", "n", "s"), "k"), (("ComputeProfile", "", "p"), None)}


def _graph(**edges: str) -> dict[Key, list[Key]]:
    return {("K", "n", node): [("K", "n", target) for target in targets] for node, targets in edges.items()}


@pytest.mark.parametrize(
    ("edges", "found"),
    [
        ({"a": "b", "b": "c", "c": ""}, []),
        ({"a": "bc", "b": "d", "c": "d", "d": ""}, []),
        ({"a": "a"}, ["a"]),
        ({"a": "b", "b": "a"}, ["ab"]),
        ({"a": "b", "b": "c", "c": "b"}, ["bc"]),
        ({"a": "b", "b": "a", "c": "d", "d": "c"}, ["ab", "cd"]),
        ({"a": "x", "b": "a"}, []),
        ({"a": "bc", "b": "", "c": "a"}, ["ac"]),
    ],
)
def test_cycles_of_any_graph_are_found_once(edges: dict[str, str], found: list[str]) -> None:
    assert ["".join(name for _, _, name in cycle) for cycle in cycles(_graph(**edges))] == found


def test_a_chain_of_ten_thousand_is_walked() -> None:
    graph = {("K", "n", str(i)): [("K", "n", str(i + 1))] for i in range(10_000)}
    assert cycles(graph) == []


def test_a_cycle_of_documents_is_refused(write: Write, refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    """No field of today's kinds can close a cycle, so one field's name is given another meaning."""
    from swiftlet.documents import references

    monkeypatch.setitem(references.REFERENCES, "fineTuneJobRef", "ModelDeployment")
    text = """
    apiVersion: swiftlet.dev/v1alpha1
    kind: ModelDeployment
    metadata: {name: a}
    spec: {model: {fineTuneJobRef: {name: b}}}
    ---
    apiVersion: swiftlet.dev/v1alpha1
    kind: ModelDeployment
    metadata: {name: b}
    spec: {model: {fineTuneJobRef: {name: a}}, api: {port: 8001}}
    """
    assert refusal(write("a.yaml", text)) == [
        "a.yaml:4: spec.model.fineTuneJobRef.name: is part of a reference cycle: ModelDeployment/a → ModelDeployment/b"
        " → ModelDeployment/a; take one reference out"
    ]
