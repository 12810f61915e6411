"""Which arguments a document may hand to an engine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel
from swiftlet.api.v1alpha1.engines.vllm import VLLM
from swiftlet.api.v1alpha1.engines.vllm_arguments import ALLOWED, REFUSED
from swiftlet.api.v1alpha1.engines.vllm_block import Vllm
from swiftlet.engines.arguments import argument_problems

CODE = [
    "--trust-remote-code", "--middleware", "--tool-parser-plugin", "--reasoning-parser-plugin", "--worker-cls",
    "--worker-extension-cls", "--load-format", "--logits-processors", "--hf-overrides", "--model-impl", "--config",
    "--kv-transfer-config", "--compilation-config", "--scheduler-cls", "--io-processor-plugin", "--log-config-file",
    "--distributed-executor-backend", "--trust-request-chat-template", "--structured-outputs-config",
]  # fmt: skip


def problems(*arguments: str, widened: tuple[str, ...] = ()) -> list[str]:
    return argument_problems(VLLM, arguments, widened, "ComputeProfile gpu")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--max-logprobs", "4", "--enforce-eager"),
        ("--max_logprobs=4", "--no-async-scheduling"),
        ("--seed", "-1", "--cudagraph-capture-sizes", "1", "2"),
        ("--override-generation-config.top_k", "2", "--override-generation-config", '{"top_k": -1}'),
    ],
)
def test_what_only_tunes_is_allowed_in_every_form(arguments: tuple[str, ...]) -> None:
    assert problems(*arguments) == []


@pytest.mark.parametrize("flag", CODE)
@pytest.mark.parametrize("form", ["{}", "{}=x", "{}.a.b=x", "{}.a+=x", "--no-{}"])
@pytest.mark.parametrize("underscored", [False, True])
def test_what_loads_code_is_refused_even_where_a_profile_lists_it(flag: str, form: str, underscored: bool) -> None:
    written = form.format(flag.removeprefix("--") if form.startswith("--no") else flag)
    written = written.replace("-", "_").replace("__", "--", 1) if underscored else written
    (problem,) = problems(written, "x", widened=(flag, written))
    assert problem.startswith("spec.engine.args: --")
    assert REFUSED[flag] in problem


def test_all_problems_are_told_with_the_remedy() -> None:
    assert problems("4", "--max-logprob", "4", "--chat-template", "/t", "-q", "awq", "--port", "1") == [
        "spec.engine.args: --port is not yours to set: set spec.api.port",
        "spec.engine.args: --max-logprob is not allowed; did you mean --max-logprobs?",
        "spec.engine.args: --chat-template is not allowed; spec.engines.vllm.allowedArgs of ComputeProfile gpu can"
        " allow it",
        "spec.engine.args: -q is not allowed; write the argument in its long form",
        "spec.engine.args: 4 is the value of no argument; write its flag before it",
    ]


def test_profile_widens_the_list() -> None:
    assert problems("--chat-template", "/t", widened=("--chat-template",)) == []
    assert problems("--no-async-foo", widened=("--async-foo",)) == []


@given(st.text(min_size=1))
def test_no_flag_passes_that_is_not_listed(text: str) -> None:
    known = {*ALLOWED, *(f"--no-{flag.removeprefix('--')}" for flag in ALLOWED)}
    assert f"--{text}".split("=")[0].split(".")[0].split("+")[0].replace("_", "-") in known or problems(f"--{text}")


def test_no_allowed_argument_is_a_refused_one() -> None:
    assert not ALLOWED & set(REFUSED)


@pytest.mark.parametrize("name", Vllm.model_fields)
def test_what_has_a_field_is_no_argument_and_the_field_is_named(name: str) -> None:
    flag = f"--{name.replace('_', '-')}"
    (problem,) = problems(flag, "1", widened=(flag,))
    assert problem == f"spec.engine.args: {flag} is not yours to set: set spec.engine.vllm.{to_camel(name)}"
    assert problems(f"--no-{flag.removeprefix('--')}")
