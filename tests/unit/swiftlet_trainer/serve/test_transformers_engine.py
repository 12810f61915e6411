"""The transformers engine, on a model that is small enough to be asked often."""

import copy
from typing import Any

import pytest
import torch
from swiftlet_trainer.serve.openai_requests import Refused
from swiftlet_trainer.serve.transformers_engine import Sampling, TransformersEngine

GREEDY = Sampling(max_tokens=8, temperature=0, top_p=1, stops=(), seed=None)


@pytest.fixture(scope="module")
def model(tokenizer: Any) -> Any:
    """A random Llama that is sure of its answers."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
    made = LlamaForCausalLM(LlamaConfig(vocab_size=49152, initializer_range=0.3, eos_token_id=0, **sizes)).eval()
    made.lm_head.weight.data *= 100
    return made


def answer(model: Any, tokenizer: Any, ids: list[int]) -> str:
    engine = TransformersEngine(model, tokenizer, ["base"], {}, max_length=64)
    return "".join(engine.answer("base", ids, GREEDY)[1])


def test_temperature_0_is_greedy_whatever_the_models_generation_config_says(model: Any, tokenizer: Any) -> None:
    ids = tokenizer("Who are you?")["input_ids"]
    plain = answer(model, tokenizer, ids)
    hostile = copy.deepcopy(model)
    hostile.generation_config.suppress_tokens = tokenizer(plain)["input_ids"]
    hostile.generation_config.repetition_penalty = 1.5
    hostile.generation_config.min_new_tokens = 20
    assert answer(hostile, tokenizer, ids) == plain


def test_an_answer_stops_where_chats_teach_it_to(model: Any, tokenizer: Any) -> None:
    """The files of this base end with <|endoftext|>, its template with the token that it says third."""
    ids = tokenizer("Who are you?")["input_ids"]
    with torch.no_grad():
        made = model.generate(torch.tensor([ids]), max_new_tokens=3, do_sample=False)[0, len(ids) :].tolist()
    base = copy.deepcopy(tokenizer)
    base.eos_token = "<|endoftext|>"
    said = base.convert_ids_to_tokens(made[2])
    base.add_special_tokens({"additional_special_tokens": [said]})
    base.chat_template = "{% for m in messages %}{{ m['content'] ~ '" + said + "' }}{% endfor %}"
    assert answer(model, base, ids) == base.decode(made[:2])


def test_a_token_beyond_the_embedding_is_refused(model: Any, tokenizer: Any) -> None:
    longer = copy.deepcopy(tokenizer)
    longer.add_tokens(["<sql>"])
    with pytest.raises(Refused, match=r"'<sql>' of id 49152, .* 49152 rows"):
        answer(model, longer, longer("a <sql>")["input_ids"])
