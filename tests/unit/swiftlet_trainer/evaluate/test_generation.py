"""Batches of answers against one answer at a time."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from swiftlet_trainer.evaluate.generation import end_tokens, generate, own_settings_aside, padding_token
from transformers import AutoModelForCausalLM, GenerationConfig

PROMPTS = ["Who are you?", "Name three fruits that grow on trees in the garden behind the house.", "2 + 2 ="]


@pytest.fixture
def prompts(tokenizer: Any) -> list[list[int]]:
    return [tokenizer(text)["input_ids"] for text in PROMPTS]


def _greedy(model: Any, ids: list[int], ends: list[int], limit: int) -> list[int]:
    """One token at a time without a cache: the definition of greedy."""
    made: list[int] = []
    while len(made) < limit:
        token = int(model(input_ids=torch.tensor([ids + made])).logits[0, -1].argmax())
        if token in ends:
            break
        made.append(token)
    return made


def test_batch_gives_the_same_answers_as_one_by_one(model: Any, tokenizer: Any, prompts: list[list[int]]) -> None:
    together = generate(model, tokenizer, prompts, max_tokens=12, batch_size=3)
    for ids, (answer, count) in zip(prompts, together, strict=True):
        expected = _greedy(model, ids, end_tokens(model, tokenizer), 12)
        assert answer == tokenizer.decode(expected, skip_special_tokens=True)
        assert count == len(expected)


def test_answer_stops_before_the_end_token(
    model: Any, tokenizer: Any, prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _greedy(model, prompts[0], [], 8)
    cut = made.index(made[4])  # its first occurrence
    monkeypatch.setattr(model.generation_config, "eos_token_id", [made[4]])
    ((answer, count),) = generate(model, tokenizer, prompts[:1], max_tokens=8, batch_size=1)
    assert count == cut
    assert answer == tokenizer.decode(made[:cut], skip_special_tokens=True)


def test_control_tokens_are_told_only_where_they_say_something(
    model: Any, tokenizer: Any, prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _greedy(model, prompts[0], [], 4)
    control, silent = tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|endoftext|>"])
    said = torch.tensor([[*prompts[0], made[0], control, silent, made[1]]])
    monkeypatch.setattr(model, "generate", lambda **_: said)
    ((answer, _),) = generate(model, tokenizer, prompts[:1], 4, 1, kept=["<|im_start|>", "Observation:"])
    assert answer == tokenizer.decode([made[0], control, made[1]])


def test_an_answer_ends_before_a_stop_text_and_costs_no_more(
    model: Any, tokenizer: Any, prompts: list[list[int]]
) -> None:
    """Each for itself: the others go on as they would."""
    free = generate(model, tokenizer, prompts, max_tokens=24, batch_size=3)
    stop = tokenizer.decode(_greedy(model, prompts[1], [], 24)[5:8])
    steps: list[Any] = []
    hook = model.register_forward_hook(lambda *_: steps.append(1))
    try:
        alone = generate(model, tokenizer, prompts[1:2], 24, 1, stops=["never said", stop])
    finally:
        hook.remove()
    assert alone == [(free[1][0].partition(stop)[0], len(steps))]
    assert len(steps) <= 8
    together = generate(model, tokenizer, prompts, 24, 3, stops=[stop])
    assert together == [free[0], alone[0], free[2]]


def test_a_control_token_that_is_a_stop_text_is_seen(
    model: Any, tokenizer: Any, prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _greedy(model, prompts[0], [], 1)[0]
    control = tokenizer.convert_tokens_to_ids("<|im_start|>")

    def say(input_ids: Any, stopping_criteria: Any, **_: Any) -> Any:
        for token in (made, control, made):
            input_ids = torch.cat([input_ids, torch.tensor([[token]])], dim=1)
            if stopping_criteria(input_ids, None).all():
                break
        return input_ids

    monkeypatch.setattr(model, "generate", say)
    assert generate(model, tokenizer, prompts[:1], 4, 1, stops=["<|im_start|>"]) == [(tokenizer.decode([made]), 2)]


HOSTILE: dict[str, Any] = {
    "do_sample": True,
    "repetition_penalty": 1.3,
    "encoder_repetition_penalty": 1.3,
    "no_repeat_ngram_size": 1,
    "min_length": 60,
    "min_new_tokens": 12,
    "num_beams": 3,
    "num_return_sequences": 2,
    "forced_eos_token_id": 7,
    "exponential_decay_length_penalty": (1, 9.0),
    "guidance_scale": 3.0,
    "prompt_lookup_num_tokens": 3,
    "stop_strings": ["e"],
    "max_time": 0.0,
    "return_dict_in_generate": True,
}
"""Settings that change an answer, or break it, and their values."""


@pytest.fixture(scope="module")
def certain(model: Any, tokenizer: Any) -> tuple[Any, list[list[int]]]:
    """The tiny model with a head that is sure of itself, and its greedy answers: with flat logits no penalty changes
    the likeliest token."""
    own = copy.deepcopy(model)
    own.lm_head.weight.data *= 100
    return own, [_greedy(own, tokenizer(text)["input_ids"], [], 10) for text in PROMPTS]


@pytest.fixture
def decided(certain: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The model of `certain`, with a generation config to be changed."""
    monkeypatch.setattr(certain[0], "generation_config", copy.deepcopy(certain[0].generation_config))
    return certain[0]


@pytest.mark.parametrize("name", [*HOSTILE, "suppress_tokens", "begin_suppress_tokens", "bad_words_ids"])
def test_greedy_is_greedy_whatever_the_models_generation_config_says(
    decided: Any, certain: tuple[Any, list[list[int]]], tokenizer: Any, prompts: list[list[int]], name: str
) -> None:
    made = certain[1]
    likeliest = sorted({token for answer in made for token in answer})
    value = [[token] for token in likeliest] if name == "bad_words_ids" else HOSTILE.get(name, likeliest)
    setattr(decided.generation_config, name, value)
    answers = generate(decided, tokenizer, prompts, max_tokens=10, batch_size=3)
    assert [answer for answer, _ in answers] == [tokenizer.decode(ids, skip_special_tokens=True) for ids in made]
    assert getattr(decided.generation_config, name) == value, "the model keeps its own settings"


def test_no_field_of_a_generation_config_comes_through(decided: Any) -> None:
    """Also those that a later transformers adds, and entries of a model's own."""
    asked = GenerationConfig(do_sample=False, max_new_tokens=3, eos_token_id=[2], pad_token_id=2)
    with own_settings_aside(decided):
        neutral = decided._prepare_generation_config(asked)[0].to_dict()
    fields = {name: "hostile" for name in vars(GenerationConfig()) if not name.startswith("_")}
    decided.generation_config.__dict__.update(fields, own_entry="hostile")
    with own_settings_aside(decided):
        found = decided._prepare_generation_config(asked)[0].to_dict()
    assert found == neutral


def test_an_adapters_answers_are_greedy_too(
    tiny: Path, adapter: Path, tokenizer: Any, prompts: list[list[int]]
) -> None:
    from peft import PeftModel

    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny), str(adapter)).eval()
    plain = generate(model, tokenizer, prompts, max_tokens=10, batch_size=3)
    for config in {
        id(one): one for one in (model.generation_config, model.get_base_model().generation_config)
    }.values():
        config.suppress_tokens = tokenizer(" ".join(answer for answer, _ in plain))["input_ids"]
    assert generate(model, tokenizer, prompts, max_tokens=10, batch_size=3) == plain


def test_end_tokens_are_those_of_model_and_tokenizer(model: Any, tokenizer: Any) -> None:
    assert tokenizer.eos_token_id in end_tokens(model, tokenizer)
    assert padding_token(model, tokenizer) == tokenizer.pad_token_id
