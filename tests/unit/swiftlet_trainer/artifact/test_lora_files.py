"""The two files of an adapter against each other, and against what PEFT itself makes of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from swiftlet_trainer.artifact.lora_files import lora_problems

Q = "model.layers.0.self_attn.q_proj"
NONE = f"are none of those whose weights are there, such as {Q}"
CONFIG: dict[str, Any] = {"peft_type": "LORA", "r": 4, "target_modules": ["q_proj"]}
SHAPES = {f"base_model.model.{Q}.lora_A.weight": [4, 8], f"base_model.model.{Q}.lora_B.weight": [8, 4]}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"target_modules": Q},
        {"target_modules": r".*\.(q|v)_proj"},
        {"target_modules": "all-linear"},
        {"target_modules": None},
        {"target_modules": [Q, "gone"]},
        {"target_modules": ["self_attn.q_proj"]},
        {"r": 8, "rank_pattern": {"q_proj": 4}},
        {"r": 2, "target_modules": [], "target_parameters": ["experts.down_proj"]},
    ],
)
def test_files_that_agree(change: dict[str, Any]) -> None:
    assert lora_problems(CONFIG | change, SHAPES) == []


def test_an_embedding_has_a_rank_too() -> None:
    shapes = {"base_model.model.model.embed_tokens.lora_embedding_A": [4, 99]}
    assert lora_problems(CONFIG | {"target_modules": ["embed_tokens"]}, shapes) == []
    (problem,) = lora_problems(CONFIG | {"r": 5, "target_modules": ["embed_tokens"]}, shapes)
    assert problem == "rank 5, but the weights of model.embed_tokens have rank 4"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"r": 9}, f"rank 9, but the weights of {Q} have rank 4"),
        ({"r": 9, "rank_pattern": {"v_proj": 3}}, f"rank 9, 3, but the weights of {Q} have rank 4"),
        ({"r": 0}, "rank 0: a rank is a whole number above 0"),
        ({"r": "4"}, "rank '4': a rank is a whole number above 0"),
        ({"r": None}, "rank None: a rank is a whole number above 0"),
        ({"rank_pattern": {"q_proj": -4}}, "rank -4: a rank is a whole number above 0"),
        ({"rank_pattern": [4.5]}, "rank [4.5]: a rank is a whole number above 0"),
        ({"target_modules": ["c_attn"]}, f"target_modules ['c_attn'] {NONE}"),
        ({"target_modules": ["proj"]}, f"target_modules ['proj'] {NONE}"),
        ({"target_modules": "q_proj"}, f"target_modules 'q_proj' {NONE}"),
        (
            {"target_modules": "("},
            "target_modules '(' are neither names nor a pattern: missing ), unterminated subpattern",
        ),
        ({"target_modules": 5}, "target_modules 5 are neither names nor a pattern: 'int' object is not iterable"),
    ],
)
def test_files_that_contradict_each_other(change: dict[str, Any], told: str) -> None:
    (problem,) = lora_problems(CONFIG | change, SHAPES)
    assert problem.removesuffix(" at position 0") == told


def test_everything_is_told_at_once() -> None:
    assert len(lora_problems(CONFIG | {"r": 9, "target_modules": ["c_attn"]}, SHAPES)) == 2


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(
    change=st.dictionaries(st.sampled_from(["r", "rank_pattern", "target_modules", "target_parameters"]), VALUES),
    shape=st.lists(st.integers(0, 9), max_size=2),
)
def test_any_files_are_judged(change: dict[str, Any], shape: list[int]) -> None:
    told = lora_problems(CONFIG | change, {**SHAPES, "x.lora_A.weight": shape})
    assert all(isinstance(problem, str) and problem for problem in told)
