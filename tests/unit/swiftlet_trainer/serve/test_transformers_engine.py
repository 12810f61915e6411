"""The transformers engine, on a model that is small enough to be asked often."""

import asyncio
import copy
import dataclasses
import threading
from typing import Any

import pytest
import torch
from swiftlet_trainer.serve.answer import Sampling
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.transformers_engine import TransformersEngine

GREEDY = Sampling(max_tokens=8, temperature=0, top_p=1, stops=(), seed=None)


def answer(model: Any, tokenizer: Any, ids: list[int], sampling: Sampling = GREEDY) -> str:
    engine = TransformersEngine(model, tokenizer, ["base"], {}, max_length=64)

    async def read() -> str:
        return "".join([piece async for piece in engine.answer("base", engine.text_prompt(ids), sampling)])

    return asyncio.run(read())


def test_temperature_0_is_greedy_whatever_the_models_generation_config_says(random_model: Any, tokenizer: Any) -> None:
    ids = tokenizer("Who are you?")["input_ids"]
    plain = answer(random_model, tokenizer, ids)
    hostile = copy.deepcopy(random_model)
    hostile.generation_config.suppress_tokens = tokenizer(plain)["input_ids"]
    hostile.generation_config.repetition_penalty = 1.5
    hostile.generation_config.min_new_tokens = 20
    assert answer(hostile, tokenizer, ids) == plain


def test_an_answer_stops_where_chats_teach_it_to(random_model: Any, tokenizer: Any) -> None:
    """The files of this base end with <|endoftext|>, its template with the token that it says third."""
    ids = tokenizer("Who are you?")["input_ids"]
    with torch.no_grad():
        made = random_model.generate(torch.tensor([ids]), max_new_tokens=3, do_sample=False)[0, len(ids) :].tolist()
    base = copy.deepcopy(tokenizer)
    base.eos_token = "<|endoftext|>"
    said = base.convert_ids_to_tokens(made[2])
    base.add_special_tokens({"additional_special_tokens": [said]})
    base.chat_template = "{% for m in messages %}{{ m['content'] ~ '" + said + "' }}{% endfor %}"
    assert answer(random_model, base, ids) == base.decode(made[:2])


def test_a_token_beyond_the_embedding_is_refused(random_model: Any, tokenizer: Any) -> None:
    longer = copy.deepcopy(tokenizer)
    longer.add_tokens(["<sql>"])
    engine = TransformersEngine(random_model, longer, ["base"], {}, max_length=64)
    with pytest.raises(Refused, match=r"'<sql>' of id 49152, .* 49152 rows"):
        engine.text_prompt("a <sql>")


def test_a_seed_decides_its_own_answer_only(random_model: Any, tokenizer: Any) -> None:
    ids = tokenizer("Who are you?")["input_ids"]
    warm = dataclasses.replace(GREEDY, temperature=1000.0)
    seeded = dataclasses.replace(warm, seed=1)
    pairs = [[answer(random_model, tokenizer, ids, how) for how in (seeded, warm)] for _ in range(3)]
    assert len({with_seed for with_seed, _ in pairs}) == 1
    assert len({without for _, without in pairs}) == 3


def test_a_temperature_that_no_logit_can_be_divided_by_is_greedy(random_model: Any, tokenizer: Any) -> None:
    ids = tokenizer("Who are you?")["input_ids"]
    coldest = dataclasses.replace(GREEDY, temperature=1e-320)
    assert answer(random_model, tokenizer, ids, coldest) == answer(random_model, tokenizer, ids)


def test_a_computation_ends_within_a_token_when_its_reader_leaves(random_model: Any, tokenizer: Any) -> None:
    deep = type(random_model)(type(random_model.config)(**random_model.config.to_dict() | {"num_hidden_layers": 3}))
    engine, entered, left = TransformersEngine(deep, tokenizer, ["base"], {}, 64), threading.Event(), threading.Event()
    passed: list[int] = []

    def enter(*_: Any) -> None:
        entered.set()
        left.wait(60)

    deep.model.layers[0].register_forward_pre_hook(enter)
    for number, layer in enumerate(deep.model.layers):
        layer.register_forward_hook(lambda *_, number=number: passed.append(number))

    async def leave() -> None:
        answer = engine.answer("base", engine.text_prompt("Who"), GREEDY)
        assert await asyncio.to_thread(entered.wait, 60)
        answer.leave()
        left.set()
        assert [piece async for piece in answer] == []

    asyncio.run(leave())
    assert passed == []
    assert engine.problem() is None
