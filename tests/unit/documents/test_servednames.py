from collections.abc import Callable
from pathlib import Path

import pytest
from swiftlet.documents import read_documents

Write = Callable[[str, str], Path]
Refusal = Callable[..., list[str]]

CHAIN = """
apiVersion: swiftlet.dev/v1alpha1
kind: ModelDeployment
metadata: {{name: served}}
spec:
  {spec}
---
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {{name: low-rank}}
spec: {{model: {{uri: "hf://o/n"}}, datasets: [{{uri: "pvc://c/a.jsonl"}}]}}
---
apiVersion: swiftlet.dev/v1alpha1
kind: FineTuneJob
metadata: {{name: whole}}
spec: {{model: {{uri: "hf://o/n"}}, datasets: [{{uri: "pvc://c/a.jsonl"}}], tuner: {{full: {{}}}}}}
"""


@pytest.mark.parametrize(
    "spec",
    [
        "model: {fineTuneJobRef: {name: low-rank}}",
        "{model: {fineTuneJobRef: {name: low-rank}}, adapters: [{name: a, uri: pvc://c/x}, {name: b, uri: pvc://c/x}]}",
        "{model: {fineTuneJobRef: {name: whole}}, api: {servedName: base}}",
        "{model: {uri: pvc://c/x}, adapters: [{name: base, fineTuneJobRef: {name: low-rank}}]}",
    ],
)
def test_names_that_clients_can_tell_apart(write: Write, spec: str) -> None:
    assert read_documents([write("a.yaml", CHAIN.format(spec=spec))])


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            "{model: {fineTuneJobRef: {name: low-rank}}, api: {servedName: base}}",
            'spec.api.baseServedName: "base" is the served name of the model too; give one of them another name',
        ),
        (
            "{model: {uri: pvc://c/x}, adapters: [{name: served, uri: pvc://c/x}]}",
            'spec.adapters[0].name: "served" is the served name of the model too; give one of them another name',
        ),
        (
            "{model: {uri: pvc://c/x}, adapters: [{name: a, uri: pvc://c/x}, {name: a, uri: pvc://c/z}]}",
            'spec.adapters[1].name: "a" is the served name of adapter 0 too; give one of them another name',
        ),
        (
            "{model: {uri: pvc://c/x}, api: {baseServedName: served}}",
            'spec.api.baseServedName: "served" is the served name of the model too; give one of them another name',
        ),
        (
            "{model: {uri: pvc://c/x}, adapters: [{name: a, fineTuneJobRef: {name: whole}}]}",
            'spec.adapters[0].fineTuneJobRef.name: "whole" trains all weights (tuner.full), so it makes no adapter;'
            " serve it as spec.model, or train it with tuner.lora",
        ),
    ],
)
def test_names_that_collide_and_jobs_without_an_adapter(write: Write, refusal: Refusal, spec: str, said: str) -> None:
    assert refusal(write("a.yaml", CHAIN.format(spec=spec))) == [f"a.yaml:5: {said}"]
