"""docs/how-to/serve-on-gpus.md says of every field what the code does with it."""

import re
from pathlib import Path

import pytest
from pydantic.alias_generators import to_camel
from swiftlet.api.schema.validation import validate
from swiftlet.api.v1alpha1.engines.vllm_block import Vllm
from swiftlet.api.v1alpha1.modeldeployment import ModelDeployment
from swiftlet.documents import read_documents
from swiftlet.engines.startup import startup_seconds
from swiftlet.kinds.modeldeployment.render import shared_memory
from swiftlet_trainer.serve.vllm_weights import CPU_METHODS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "how-to" / "serve-on-gpus.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "modeldeployment-8-gpus.yaml"
ROWS = dict(re.findall(r"^\| `(\w+)` \| .* \| (refused|yes) \|$", PAGE, re.MULTILINE))
VALUES = {
    "speculativeConfig": {"method": "mtp", "numSpeculativeTokens": 2}, "limitMmPerPrompt": {"image": 1},
    "kvCacheDtype": "fp8", "gpuMemoryUtilization": 0.5,
}  # fmt: skip


def test_the_table_has_every_field() -> None:
    assert set(ROWS) == {to_camel(name) for name in Vllm.model_fields}


@pytest.mark.parametrize("field", ROWS)
def test_what_the_table_says_of_a_cpu_is_so(field: str) -> None:
    value = VALUES.get(field, True if field.startswith("enable") else 1)
    model = {"model": {"uri": "hf://a/b"}, "engine": {"vllm": {field: value}}}
    document = {"apiVersion": "swiftlet.dev/v1alpha1", "kind": "ModelDeployment", "metadata": {"name": "a"}}
    assert bool(validate({**document, "spec": model})) == (ROWS[field] == "refused")
    with_gpus = {**model, "compute": {"gpus": 1 if field != "enableExpertParallel" else 2}}
    assert validate({**document, "spec": with_gpus}) == []


def test_the_figures_are_the_codes() -> None:
    (shm,) = re.findall(r"^\| /dev/shm, at most \| (\d+)Gi \| (\d+)Gi \| (\d+)Gi \|$", PAGE, re.MULTILINE)
    assert [int(size) * 1024 for size in shm] == [shared_memory(gpus) for gpus in (1, 2, 8)]
    known = [f"{startup_seconds('vllm', 140_000_000_000, False, gpus):,} s" for gpus in (1, 2, 8)]
    assert f"140 GB of weights on a volume | {' | '.join(known)} |" in PAGE
    unknown = [startup_seconds("vllm", None, False, gpus) // 60 for gpus in (1, 2, 8)]
    hours = f"{unknown[2] // 60} h {unknown[2] % 60 + 1} min"
    assert f"size unknown, on a volume | {unknown[0]} min | {unknown[1]} min | {hours} |" in PAGE
    assert all(re.search(method.replace("-", "."), PAGE, re.IGNORECASE) for method in CPU_METHODS)


def test_the_example_uses_all_of_its_gpus() -> None:
    (found,) = read_documents([EXAMPLE])
    spec = ModelDeployment.model_validate(found.object).spec
    vllm = spec.engine.vllm
    assert vllm and vllm.tensor_parallel_size and vllm.data_parallel_size
    assert vllm.tensor_parallel_size * vllm.data_parallel_size == spec.compute.gpus == 8
