"""Every field of spec.engine.vllm arrives in vLLM's own parser as it was meant."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel
from swiftlet.api.v1alpha1.engines.vllm_block import KvCacheDtype, Vllm
from swiftlet_trainer.serve.vllm_arguments import vllm_arguments
from swiftlet_trainer.serve.vllm_sizes import parallel_problems, sizes_of

PARSER = """
import json, sys
from swiftlet_trainer.serve.vllm_process import RefusedArgumentsError, parse
from vllm.engine.arg_utils import AsyncEngineArgs
for line in sys.stdin:
    arguments, names, configures = json.loads(line)
    try:
        parsed = parse(arguments)
        engine = AsyncEngineArgs.from_cli_args(parsed)
        parallel = engine.create_engine_config().parallel_config if configures else None
    except (RefusedArgumentsError, ValueError) as error:
        print("ANSWER", json.dumps({"refused": str(error)}), flush=True)
        continue
    found = {name: getattr(engine, name) for name in names}
    found["gpus"] = parallel.world_size * parallel.data_parallel_size if parallel else None
    print("ANSWER", json.dumps({**found, "port": parsed.port, "host": parsed.host}, default=str), flush=True)
"""
NAMES = [*Vllm.model_fields, "model", "served_model_name", "max_model_len", "distributed_executor_backend"]
SIZES, COUNTS = st.integers(1, 64), st.integers(1, 2**31 - 1)
SPECULATIVE = {"method": "ngram", "numSpeculativeTokens": 3, "promptLookupMax": 4, "promptLookupMin": 2}
DRAFTED = {"method": "eagle3", "numSpeculativeTokens": 5, "model": {"uri": "hf://org/head"}}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "tensorParallelSize": SIZES,
    "pipelineParallelSize": SIZES,
    "dataParallelSize": SIZES,
    "enableExpertParallel": st.booleans(),
    "gpuMemoryUtilization": st.floats(0, 1, exclude_min=True),
    "kvCacheDtype": st.sampled_from(KvCacheDtype.__args__),  # type: ignore[attr-defined]
    "enablePrefixCaching": st.booleans(),
    "enableChunkedPrefill": st.booleans(),
    "maxNumBatchedTokens": COUNTS,
    "maxNumSeqs": st.integers(1, 65536),
    "speculativeConfig": st.sampled_from([SPECULATIVE, DRAFTED]),
    "limitMmPerPrompt": st.fixed_dictionaries(
        {}, optional={kind: st.integers(0, 999) for kind in ("image", "video", "audio")}
    ).filter(bool),
}
SAID = st.fixed_dictionaries({}, optional=VALUES)
Parse = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def parse() -> Iterator[Parse]:
    """vLLM's parser, and what it makes of arguments for the engine, in a process of its own: imports take long.
    `configures`: it also reads the model's configuration and checks it with the rest."""
    child = subprocess.Popen(
        [sys.executable, "-c", PARSER],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={"VLLM_TARGET_DEVICE": "cpu", "PATH": ""},
    )  # fmt: skip
    assert child.stdin and child.stdout
    questions, answers = child.stdin, child.stdout

    def ask(arguments: list[str], configures: bool = False) -> dict[str, Any]:
        questions.write(json.dumps([arguments, NAMES, configures]) + "\n")
        questions.flush()
        said = next(line for line in answers if line.startswith("ANSWER"))
        return dict(json.loads(said.partition(" ")[2]))

    yield ask
    questions.close()
    child.wait(60)


@pytest.fixture(scope="module")
def defaults(parse: Parse) -> dict[str, Any]:
    return parse(["--model", "/m"])


def test_every_field_has_values_here() -> None:
    assert set(VALUES) == {to_camel(name) for name in Vllm.model_fields}


# The document is a function without a state.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=SAID, use_gpu=st.booleans())
@example(said={}, use_gpu=True)
@example(said={"tensorParallelSize": 8}, use_gpu=True)
@example(said={"maxNumSeqs": 4, "speculativeConfig": SPECULATIVE}, use_gpu=False)
def test_each_value_arrives_as_it_is_meant(
    document: Any, parse: Parse, defaults: dict[str, Any], said: dict[str, Any], use_gpu: bool
) -> None:
    draft = Path("/draft") if (said.get("speculativeConfig") or {}).get("model") else None
    vllm = Vllm.model_validate(said)
    asked = document(vllm=said, useGpu=use_gpu, modelNames=["base", "other"])
    found = parse(vllm_arguments(asked, Path("/m"), "127.0.0.1", draft))
    assert "refused" not in found, found
    for name in Vllm.model_fields:
        assert found[name] == _meant(name, vllm, draft, defaults, use_gpu), name
    assert (found["model"], found["served_model_name"], found["max_model_len"]) == ("/m", ["base", "other"], 2048)
    assert (found["host"], found["port"]) == ("127.0.0.1", 8000)
    together = (vllm.tensor_parallel_size or 1) * (vllm.pipeline_parallel_size or 1)
    assert found["distributed_executor_backend"] == ("uni" if not use_gpu else "mp" if together > 1 else None)


def _meant(name: str, vllm: Vllm, draft: Path | None, defaults: dict[str, Any], use_gpu: bool) -> Any:
    value = vllm.model_dump(mode="json", exclude_none=True).get(name)
    if name == "speculative_config" and value and draft:
        value["model"] = str(draft)
    if value is None and name == "gpu_memory_utilization" and not use_gpu:
        return 0.25
    return defaults[name] if value is None else value


HEADS = st.integers(1, 16)
SOME_SIZES = st.sampled_from([1, 2, 3, 4, 8])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    heads=HEADS, kv_heads=HEADS, experts=st.sampled_from([None, 4, 8]), sizes=st.tuples(*[SOME_SIZES] * 3),
    is_expert_parallel=st.booleans(),
)  # fmt: skip
def test_what_we_let_through_vllm_configures_and_what_it_refuses_we_have_refused(
    document: Any, parse: Parse, tmp_path: Path, heads: int, kv_heads: int, experts: int | None,
    sizes: tuple[int, int, int], is_expert_parallel: bool,
) -> None:  # fmt: skip
    config = {
        "architectures": ["MixtralForCausalLM" if experts else "LlamaForCausalLM"],
        "model_type": "mixtral" if experts else "llama",
        "num_attention_heads": heads, "num_key_value_heads": kv_heads, "hidden_size": 64 * heads,
        "num_hidden_layers": 8,
        "intermediate_size": 24 * 64, "vocab_size": 192, "max_position_embeddings": 4096, "dtype": "bfloat16",
        **({"num_local_experts": experts} if experts else {}),
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    tensor, pipeline, data = sizes
    vllm = {"tensorParallelSize": tensor, "pipelineParallelSize": pipeline, "dataParallelSize": data}
    vllm |= {"enableExpertParallel": True} if is_expert_parallel else {}
    asked = document(vllm=vllm, useGpu=True)
    ours = parallel_problems(config, sizes_of(asked.vllm))
    found = parse([*vllm_arguments(asked, tmp_path, "h"), "--skip-tokenizer-init"], configures=True)
    if "refused" in found:
        assert ours, found["refused"]
    elif not ours:
        assert found["gpus"] == tensor * pipeline * data
