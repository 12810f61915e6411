"""Documents that validation accepts; tests change one thing in them."""

from typing import Any

import pytest

Object = dict[str, Any]


def _object(kind: str, spec: Object) -> Object:
    return {"apiVersion": "swiftlet.dev/v1alpha1", "kind": kind, "metadata": {"name": "bird"}, "spec": spec}


@pytest.fixture
def job() -> Object:
    return _object(
        "FineTuneJob", {"model": {"uri": "hf://org/name"}, "datasets": [{"uri": "configmap://data/train.jsonl"}]}
    )


@pytest.fixture
def run() -> Object:
    suite = {"generation": {"uri": "configmap://data/questions.jsonl"}}
    return _object("EvalRun", {"target": {"fineTuneJobRef": {"name": "bird"}}, "suites": [suite]})


@pytest.fixture
def deployment() -> Object:
    return _object("ModelDeployment", {"model": {"fineTuneJobRef": {"name": "bird"}}})


@pytest.fixture
def profile() -> Object:
    return _object("ComputeProfile", {})


@pytest.fixture
def documents(job: Object, run: Object, deployment: Object, profile: Object) -> list[Object]:
    """One of each kind."""
    return [job, run, deployment, profile]
