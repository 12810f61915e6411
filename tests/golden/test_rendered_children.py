"""The children of typical resources, word for word. SWIFTLET_UPDATE_GOLDEN=1 writes the files anew."""

import copy
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString
from swiftlet.api.schema.validation import defaulted, validate
from swiftlet.api.v1alpha1.computeprofile import ComputeProfileSpec
from swiftlet.kinds import RECONCILERS, Capabilities

FOLDER = Path(__file__).parent
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)

API = {"apiVersion": "swiftlet.dev/v1alpha1"}
DATA = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "bird-data", "namespace": "team"},
    "data": {"train.jsonl": "{}", "test.jsonl": "{}"},
}
JOB = {
    **API,
    "kind": "FineTuneJob",
    "metadata": {"name": "bird", "namespace": "team", "uid": "0a1b2c3d-job", "generation": 1},
    "spec": {
        "model": {"uri": "hf://HuggingFaceTB/SmolLM2-135M-Instruct"},
        "datasets": [{"uri": "configmap://bird-data/train.jsonl"}],
    },
}
TWO_NODES = {
    **JOB,
    "metadata": {**JOB["metadata"], "name": "big"},  # type: ignore[dict-item]
    "spec": {
        "model": {"uri": "hf://org/model@v2"},
        "datasets": [
            {"uri": "configmap://bird-data/train.jsonl"},
            {"uri": "pvc://rows/held-out.parquet", "split": "eval"},
        ],
        "tuner": {"full": {}},
        "training": {"globalBatchSize": 64, "epochs": 1},
        "parallelism": {"nodes": 2, "strategy": "zero2"},
        "compute": {"gpus": 8, "profileRef": {"name": "h100"}},
        "activeDeadlineSeconds": 86400,
    },
}
PROFILE = {
    **API,
    "kind": "ComputeProfile",
    "metadata": {"name": "h100"},
    "spec": {
        "images": {"trainer": "registry.example/trainer:1"},
        "gpuResourceName": "example.com/gpu",
        "nodeSelector": {"accelerator": "h100"},
        "tolerations": [{"key": "example.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "storage": {"artifactsClaim": "shared", "modelsClaim": "mirror"},
        "resources": {"requests": {"cpu": "32", "memory": "256Gi"}, "limits": {"cpu": "64", "memory": "512Gi"}},
    },
}
TRAINED = {
    **JOB,
    "status": {
        "artifact": {
            "uri": "pvc://swiftlet-artifacts/team/finetunejobs/bird-0a1b2c3d/artifact",
            "digest": "sha256:5f3e",
            "type": "adapter",
            "baseDigest": "sha256:ba5e",
            "steps": 30,
        }
    },
}
EVALUATION = {
    **API,
    "kind": "EvalRun",
    "metadata": {"name": "bird", "namespace": "team", "uid": "0a1b2c3d-run", "generation": 1},
    "spec": {
        "target": {"fineTuneJobRef": {"name": "bird"}},
        "baseline": {"base": {}},
        "suites": [
            {
                "generation": {"uri": "configmap://bird-data/test.jsonl", "metrics": ["contains", "rouge_l"]},
                "placeholders": {"NAME": "Apus"},
            },
            {"name": "english", "perplexity": {"uri": "pvc://rows/text.jsonl"}, "limit": 100},
        ],
        "gates": [{"metric": "contains", "min": 0.8}, {"metric": "perplexity", "maxIncreasePercent": 10}],
        "compute": {"resources": {"limits": {"memory": "4Gi"}}},
    },
}
SERVER = {
    **API,
    "kind": "ModelDeployment",
    "metadata": {"name": "bird", "namespace": "team", "uid": "0a1b2c3d-dep", "generation": 1},
    "spec": {
        "model": {"fineTuneJobRef": {"name": "bird"}},
        "adapters": [{"name": "parrot", "uri": "pvc://adapters/parrot"}],
        "engine": {"name": "vllm", "args": ["--enforce-eager"]},
        "api": {"baseServedName": "smollm2", "apiKey": {"secretRef": {"name": "keys", "key": "token"}}},
        "replicas": 2,
        "compute": {"gpus": 1},
    },
}


@dataclass
class Shelf:
    """A reader of nothing but these objects."""

    objects: list[dict[str, Any]] = field(default_factory=list)

    def get(self, kind: str, namespace: str | None, name: str) -> dict[str, Any] | None:
        for item in self.objects:
            metadata = item["metadata"]
            if (item["kind"], metadata.get("namespace"), metadata["name"]) == (kind, namespace, name):
                return copy.deepcopy(item)
        return None

    def children(self, namespace: str, owner_uid: str) -> list[dict[str, Any]]:
        return []

    def progress(self, uid: str) -> dict[str, Any] | None:
        return None

    def serves(self, kind: str) -> bool:
        return False

    def complaint(self, job: dict[str, Any]) -> None:
        return None


CASES = {
    "finetunejob-minimal": (JOB, [DATA]),
    "finetunejob-two-nodes": (TWO_NODES, [DATA, PROFILE]),
    "evalrun-with-baseline": (EVALUATION, [DATA, TRAINED]),
    "modeldeployment-with-adapter-and-secret": (SERVER, [DATA, TRAINED]),
}


@pytest.mark.parametrize("name", CASES)
def test_children(name: str) -> None:
    resource, others = copy.deepcopy(CASES[name])
    known = [defaulted(item) if item["apiVersion"] == API["apiVersion"] else item for item in others]
    for document in (resource, *others):
        if document["kind"] in RECONCILERS:
            assert validate({key: value for key, value in document.items() if key != "status"}) == []
    images = {"trainer": "registry.example/trainer:1", "server": "registry.example/server:1"}
    usual = ComputeProfileSpec.model_validate({"images": images})
    capabilities = Capabilities(provisions_claims=True, default_profile=usual)
    outcome = RECONCILERS[resource["kind"]](defaulted(resource), Shelf(known), NOW, capabilities)
    assert outcome.desired, outcome.status["conditions"]
    text = rendered(outcome.desired)
    golden = FOLDER / f"{name}.yaml"
    if os.environ.get("SWIFTLET_UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text()


def rendered(manifests: list[dict[str, Any]]) -> str:
    """The manifests as people write them: no anchors, texts of several lines as blocks."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096
    yaml.representer.ignore_aliases = lambda _: True
    stream = StringIO()
    yaml.dump_all([blocks(manifest) for manifest in manifests], stream)
    return stream.getvalue()


def blocks(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: blocks(item) for key, item in value.items()}
    if isinstance(value, list):
        return [blocks(item) for item in value]
    return LiteralScalarString(value) if isinstance(value, str) and "\n" in value else value
