"""vLLM's real parser on arguments of documents."""

import subprocess
import sys

import pytest
from pydantic import BaseModel, ValidationError, model_validator
from swiftlet_trainer.serve.engine import PROBLEM_PREFIX
from swiftlet_trainer.serve.vllm_process import configuration_problems, unknown_flag

CHECK = """
import asyncio, sys
from swiftlet_trainer.serve.vllm_process import RefusedArgumentsError, parse
from swiftlet.api.v1alpha1.engines.vllm_arguments import ALLOWED, REFUSED
for group in sys.argv[1:]:
    try:
        print("PARSED", parse(["--model", "/m", *group.split()]).max_num_seqs)
    except RefusedArgumentsError as error:
        print("REFUSED", " | ".join(error.problems))
try:
    parse([*sorted(ALLOWED), *sorted(REFUSED), "--zzzz"])
except RefusedArgumentsError as error:
    print("REFUSED", " | ".join(error.problems))

from swiftlet_trainer.serve.vllm_thoughts import FAMILIES as THINKERS
from swiftlet_trainer.serve.vllm_tools import FAMILIES, PARSERS, parser_problems
for problem in parser_problems("hermez", "qwen4") or ["none"]:
    print("PARSER", problem)
print("PARSERS", *parser_problems("hermes", "qwen3"), *(parser_problems(name, None) for name in PARSERS.values()),
      *(parser_problems(name, None) for name in FAMILIES.values()),
      *(parser_problems(None, name) for name, _ in THINKERS.values()))

import torch
from safetensors.torch import save_file
from swiftlet_trainer.serve.vllm_adapters import RefusedAdapterError, name_refused_adapters
from vllm.entrypoints.openai.models.protocol import BaseModelPath, LoRAModulePath
from vllm.entrypoints.openai.models.serving import OpenAIServingModels
from vllm.lora.lora_model import LoRAModel
from vllm.lora.peft_helper import PEFTHelper

class Engine:  # reads adapters as vLLM's workers do, and has no model
    model_config = renderer = input_processor = None

    async def add_lora(self, request):
        if request.lora_name == "full":
            raise Exception("Call to add_lora method failed: CUDA out of memory. Tried to allocate 2 GiB")
        helper, path = PEFTHelper.from_local_dir(request.lora_path, None), request.lora_path
        LoRAModel.from_local_checkpoint(path, {"q_proj"}, helper, lora_model_id=1, device="cpu", dtype=torch.float32)

name_refused_adapters()
for name, module in (("bird", "q_proj"), ("tern", "zz_proj"), ("full", "q_proj")):
    with open("adapter_config.json", "w") as file:
        file.write('{"r": 2, "lora_alpha": 2, "target_modules": ["%s"]}' % module)
    weights = {f"base_model.model.model.layers.0.{module}.lora_{one}.weight": torch.zeros(2, 2) for one in "AB"}
    save_file(weights, "adapter_model.safetensors")
    loras = [LoRAModulePath(name, ".")]
    models = OpenAIServingModels(Engine(), [BaseModelPath("base", "base")], lora_modules=loras)
    try:
        asyncio.run(models.init_static_loras())
        print("ADAPTER loaded", *models.lora_requests)
    except (RefusedAdapterError, ValueError) as error:
        print("ADAPTER", type(error).__name__, error)
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """One import of vLLM for all groups of arguments: it takes many seconds."""
    groups = [
        "--max-num-seqs 4",
        "--max_num_seqs=5",
        "--max-num-seq 4 --enforce-eagre",
        "--max-num-seqs many",
        "--dtype float7",
        "--compilation-config.mode 0 --max-num-seqs 6",
        "-q awq --max-num-seqs 7",
        "--enable-lora --max-lora-rank 16 --lora-modules bird=. --max-num-seqs 8",  # as a model card says it
    ]
    done = subprocess.run(
        [sys.executable, "-c", CHECK, *groups],
        capture_output=True,
        text=True,
        env={"VLLM_TARGET_DEVICE": "cpu", "PATH": ""},
        cwd=tmp_path_factory.mktemp("adapter"),
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith(("PARSED", "REFUSED", "ADAPTER", "PARSER"))]


def test_known_arguments_are_parsed_in_every_form(answers: list[str]) -> None:
    assert [answers[i] for i in (0, 1, 5, 6, 7)] == [f"PARSED {number}" for number in range(4, 9)]


def test_unknown_arguments_are_all_named_with_the_nearest(answers: list[str]) -> None:
    assert answers[2] == (
        "REFUSED --max-num-seq: vllm has no such argument; did you mean --max-num-seqs?"
        " | --enforce-eagre: vllm has no such argument; did you mean --enforce-eager?"
    )


def test_values_are_checked_by_the_parser(answers: list[str]) -> None:
    assert answers[3].startswith("REFUSED argument --max-num-seqs: ")
    assert "'many'" in answers[3]
    assert answers[4].startswith("REFUSED argument --dtype: invalid choice: 'float7'")


def test_every_listed_argument_is_one_of_vllm(answers: list[str]) -> None:
    assert answers[8] == "REFUSED --zzzz: vllm has no such argument"


def test_parsers_are_checked_by_vllms_own_list(answers: list[str]) -> None:
    tools, thoughts, known = answers[9:12]
    assert tools.startswith("PARSER spec.api.toolParser: hermez: vllm has no such parser, but apertus, ")
    assert ", hermes, " in tools
    assert thoughts.startswith("PARSER spec.api.reasoningParser: qwen4: vllm has no such parser, but ")
    assert set(known.removeprefix("PARSERS").split()) == {"[]"}, "those of our tables are vllm's"


def test_an_adapter_that_vllm_refuses_is_named_as_bad_input(answers: list[str]) -> None:
    loaded, refused, passing = answers[12:]
    assert loaded == "ADAPTER loaded bird"
    assert refused.startswith(
        "ADAPTER RefusedAdapterError adapter tern: .: vllm cannot put it on the model: While loading"
    )
    assert "zz_proj" in refused
    assert refused.endswith("; use the base that it was trained on, or set spec.engine.name to transformers")
    assert passing.startswith("ADAPTER ValueError "), "memory may be free the next time"


def test_configuration_that_vllm_refuses_is_told_line_by_line() -> None:
    class LoRAConfig(BaseModel):
        max_loras: int
        max_cpu_loras: int

        @model_validator(mode="after")
        def _fits(self) -> "LoRAConfig":
            raise ValueError("max_cpu_loras (1) must be >= max_loras (2)")

    with pytest.raises(ValidationError) as caught:
        LoRAConfig(max_loras=2, max_cpu_loras=1)
    assert configuration_problems(caught.value) == [
        "vllm's LoRAConfig: Value error, max_cpu_loras (1) must be >= max_loras (2)"
    ]
    with pytest.raises(ValidationError) as caught:
        LoRAConfig.model_validate({"max_loras": "x"})
    assert [problem.split(": ")[1] for problem in configuration_problems(caught.value)] == [
        "max_loras",
        "max_cpu_loras",
    ]


def test_flag_like_no_other_gets_no_advice() -> None:
    assert unknown_flag("--zzzz=1", ["--max-num-seqs"]) == "--zzzz: vllm has no such argument"
    assert PROBLEM_PREFIX.endswith(" ")
