"""A model whose logits are no numbers scores nothing, whatever the suite; one that never says some tokens does."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from swiftlet.wire.messages import EXIT_DIVERGED
from swiftlet_trainer.__main__ import main
from swiftlet_trainer.data.examples import Preference
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.evaluate.finite import NotFiniteError
from swiftlet_trainer.evaluate.generation import generate
from swiftlet_trainer.evaluate.likelihood import Scored, log_likelihoods
from swiftlet_trainer.evaluate.questions import Question
from swiftlet_trainer.evaluate.rows import ChoiceRow, GenerationRow, PerplexityRow
from swiftlet_trainer.evaluate.suites import run_suite
from swiftlet_trainer.failures import Diverged, InvalidInput

MODEL, ADAPTER = "/swiftlet/models/tiny", "/swiftlet/artifacts/bird/artifact"
BASE = {"model": {"uri": "hf://tiny/base", "path": MODEL}}

ROWS: dict[str, Any] = {
    "generation": {"prompt": "Who are you?", "answer": "Apus"},
    "perplexity": {"text": "The old harbour lay quiet."},
    "multipleChoice": {"question": "1 + 1?", "choices": ["2", "many"], "answer": 0},
}
QUESTIONS: dict[str, Any] = {
    "generation": GenerationRow([Turn("user", "Who are you?")], ["Apus"]),
    "perplexity": PerplexityRow(text="The old harbour lay quiet."),
    "multipleChoice": ChoiceRow("1 + 1?", ["2", "many"], 0),
}
Headed = Callable[[Callable[[torch.Tensor], torch.Tensor]], Any]


@pytest.fixture
def headed(model: Any) -> Headed:
    """The tiny model with what a function makes of its logits."""

    class Head(torch.nn.Module):
        def __init__(self, head: torch.nn.Module, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
            super().__init__()
            self.head, self.change = head, change

        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            return self.change(self.head(hidden))

    def build(change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
        own = copy.deepcopy(model)
        own.lm_head = Head(own.lm_head, change)
        return own

    return build


def _filled(token: int | slice, value: float) -> Callable[[torch.Tensor], torch.Tensor]:
    def change(logits: torch.Tensor) -> torch.Tensor:
        logits = logits.clone()
        logits[..., token] = value
        return logits

    return change


def _asked(block: str) -> list[Question]:
    return [Question(f"rows.jsonl, line {number}", QUESTIONS[block]) for number in (1, 2)]


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
@pytest.mark.parametrize("block", ROWS)
def test_an_adapter_that_is_no_number_ends_the_evaluation(
    eval_pod: Any, tiny: Path, adapter: Path, block: str, factor: float
) -> None:
    from safetensors.torch import load_file, save_file

    eval_pod.mount(MODEL, tiny)
    broken = eval_pod.root / ADAPTER.lstrip("/")
    broken.mkdir(parents=True)
    weights = load_file(adapter / "adapter_model.safetensors")
    save_file({name: weight * factor for name, weight in weights.items()}, broken / "adapter_model.safetensors")
    (broken / "adapter_config.json").write_bytes((adapter / "adapter_config.json").read_bytes())
    path = eval_pod.rows("rows.jsonl", [ROWS[block]] * 2)
    suites = [{"name": "who", block: {"uri": "configmap://data/rows.jsonl"}, "path": path}]
    assert main(["evaluate", "--job", eval_pod.job({**BASE, "adapterPath": ADAPTER}, BASE, suites)]) == EXIT_DIVERGED
    failure = eval_pod.termination()["failure"]
    assert (failure["reason"], failure["exitCode"]) == ("Diverged", EXIT_DIVERGED)
    assert failure["message"].startswith("target: the model's logits are not finite")
    assert (
        "suite who: configmap://data/rows.jsonl, line 1\nsuite who: configmap://data/rows.jsonl, line 2"
        in (failure["message"])
    )
    assert not (eval_pod.root / "swiftlet/artifacts/eval/results.json").exists()


@pytest.mark.parametrize(
    "change",
    [
        _filled(7, float("nan")),
        _filled(7, float("inf")),
        _filled(slice(None), float("-inf")),
        _filled(slice(None), float("nan")),
    ],
    ids=["one NaN", "one inf", "all -inf", "all NaN"],
)
@pytest.mark.parametrize("block", ROWS)
def test_one_entry_that_spoils_all_probabilities_is_enough(
    headed: Headed, tokenizer: Any, suite: Any, block: str, change: Any
) -> None:
    with pytest.raises(Diverged, match="baseline: the model's logits are not finite") as caught:
        run_suite(suite(**{block: {}}), _asked(block), "baseline", headed(change), tokenizer, 1, lambda n: None)
    assert str(caught.value).splitlines()[1:] == ["rows.jsonl, line 1"], "the first batch says it"


@pytest.mark.parametrize("block", ROWS)
def test_tokens_that_a_model_never_says_change_nothing(
    model: Any, headed: Headed, tokenizer: Any, suite: Any, block: str
) -> None:
    one, plain = suite(**{block: {"maxTokens": 6} if block == "generation" else {}}), _asked(block)
    never = _filled(slice(49_000, None), -1e9), _filled(slice(49_000, None), float("-inf"))
    found = [run_suite(one, plain, "target", headed(change), tokenizer, 2, lambda n: None) for change in never]
    assert found[0] == found[1]


def test_a_token_of_probability_zero_is_an_infinite_perplexity(headed: Headed, tokenizer: Any) -> None:
    ids = tokenizer(ROWS["perplexity"]["text"])["input_ids"]
    rows = [Scored(ids, [True] * len(ids)), Scored(ids[:2], [True, True])]
    first, second = log_likelihoods(headed(_filled(ids[3], float("-inf"))), rows, 0, batch_size=2)
    assert first.nll == float("inf")
    assert 0 < second.nll < 100


def test_a_choice_of_probability_zero_loses_and_all_of_them_decide_nothing(
    headed: Headed, tokenizer: Any, suite: Any
) -> None:
    choices = ["first one", "second thing"]
    said = [id for choice in choices for id in tokenizer(choice)["input_ids"]]
    question = [Question("rows.jsonl, line 1", ChoiceRow("Which?", choices, 0))]
    one = suite(multipleChoice={})
    masked = headed(_filled(tokenizer("first")["input_ids"][0], float("-inf")))
    (record,) = run_suite(one, question, "target", masked, tokenizer, 2, lambda n: None)
    assert record.metrics == {"accuracy": 0.0}

    def mask(logits: torch.Tensor) -> torch.Tensor:
        return logits.index_fill(-1, torch.tensor(said), float("-inf"))

    with pytest.raises(InvalidInput, match=r"target: rows\.jsonl, line 1: every choice has the probability zero"):
        run_suite(one, question, "target", headed(mask), tokenizer, 2, lambda n: None)


def test_a_pair_of_probability_zero_decides_nothing_either(headed: Headed, tokenizer: Any, suite: Any) -> None:
    said = [id for answer in ("first", "second") for id in tokenizer(answer)["input_ids"]]
    pair = Preference([Turn("user", "Which?")], [Turn("assistant", "first")], [[Turn("assistant", "second")]])
    question = [Question("rows.jsonl, line 1", pair)]

    def mask(logits: torch.Tensor) -> torch.Tensor:
        return logits.index_fill(-1, torch.tensor(said), float("-inf"))

    with pytest.raises(InvalidInput, match=r"target: rows\.jsonl, line 1: every answer has the probability zero"):
        run_suite(suite(preference={}), question, "target", headed(mask), tokenizer, 2, lambda n: None)


def test_what_follows_the_end_of_an_answer_does_not_count(headed: Headed, tokenizer: Any) -> None:
    """The first answer ends at once; the second goes on by itself, while the first row's logits are NaN."""
    calls: list[int] = []
    end = tokenizer.eos_token_id

    def change(logits: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        logits = logits.clone()
        logits[1, :, end] = -1e9
        if len(calls) == 1:
            logits[0, :, end] = 1e9
        else:
            logits[0] = float("nan")
        return logits

    prompts = [tokenizer(text)["input_ids"] for text in ("Rain. Rain.", "Rain.")]
    (_, first), (_, second) = generate(headed(change), tokenizer, prompts, max_tokens=4, batch_size=2)
    assert (first, second) == (0, 4)
    calls.clear()
    calls.append(1)
    with pytest.raises(NotFiniteError) as caught:
        generate(headed(change), tokenizer, prompts, max_tokens=4, batch_size=2)
    assert caught.value.rows == [0]
