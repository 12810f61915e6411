"""vLLM's real parser on arguments of documents."""

import subprocess
import sys

import pytest
from pydantic import BaseModel, ValidationError, model_validator
from swiftlet_trainer.serve.engine import PROBLEM_PREFIX
from swiftlet_trainer.serve.vllm_process import configuration_problems, unknown_flag

CHECK = """
import sys
from swiftlet_trainer.serve.vllm_process import RefusedArgumentsError, parse
from swiftlet.engines.catalogue import VLLM_ARGS
from swiftlet.wire.engine_arguments import REFUSED
for group in sys.argv[1:]:
    try:
        print("PARSED", parse(["--model", "/m", *group.split()]).max_num_seqs)
    except RefusedArgumentsError as error:
        print("REFUSED", " | ".join(error.problems))
try:
    parse([*sorted(VLLM_ARGS), *sorted(REFUSED), "--zzzz"])
except RefusedArgumentsError as error:
    print("REFUSED", " | ".join(error.problems))
"""


@pytest.fixture(scope="module")
def answers() -> list[str]:
    """One import of vLLM for all groups of arguments: it takes many seconds."""
    groups = [
        "--max-num-seqs 4",
        "--max_num_seqs=5",
        "--max-num-seq 4 --enforce-eagre",
        "--max-num-seqs many",
        "--dtype float7",
        "--compilation-config.mode 0 --max-num-seqs 6",
        "-q awq --max-num-seqs 7",
    ]
    done = subprocess.run(
        [sys.executable, "-c", CHECK, *groups],
        capture_output=True,
        text=True,
        env={"VLLM_TARGET_DEVICE": "cpu", "PATH": ""},
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith(("PARSED", "REFUSED"))]


def test_known_arguments_are_parsed_in_every_form(answers: list[str]) -> None:
    assert [answers[i] for i in (0, 1, 5, 6)] == ["PARSED 4", "PARSED 5", "PARSED 6", "PARSED 7"]


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
    assert answers[-1] == "REFUSED --zzzz: vllm has no such argument"


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
