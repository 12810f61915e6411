"""Weights of tokens by hand, for tokenizers of several kinds; and what becomes of marks, given pieces and rounds."""

import copy
from itertools import groupby
from typing import Any

import pytest
from swiftlet.api.v1alpha1.finetunejob import Template
from swiftlet_trainer.data.encode import Encoded, scaled
from swiftlet_trainer.data.examples import Example
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.tasks.sft.rows import SftRows
from swiftlet_trainer.templates.prompt_template import TemplateRefusalError, UnsuitableTemplateError
from swiftlet_trainer.templates.segments import Segments, Weighed

from tests.unit.swiftlet_trainer.templates.test_segments import CHATML, TOKENIZERS, TRIMMING

Q = Turn("user", "Who?")
REACT = "Thought: I am.\nAction: get\nAction Input: {}\nObservation: it is\nFinal Answer: Six"


def encoded(
    tokenizer: Any, example: Example | list[Turn], *names: str, segments: Segments | None = None, **own: str
) -> Encoded:
    segments = segments or Segments(tokenizer)
    template = Template(loss_scale=list(names) or None, loss_scale_rules=own)
    rows = SftRows(tokenizer, segments, template, assistant_only=not "+".join(names).startswith("all"))
    (rendered,) = rows.rendered(example if isinstance(example, Example) else Example(example))
    (found,) = segments.weighed([rendered])
    assert isinstance(found, Weighed)
    return scaled(rows.labelled(found.parts, rendered), found.factors)


def runs(tokenizer: Any, row: Encoded) -> list[tuple[float, str]]:
    """What is learnt, by runs of one weight."""
    weights = row.weights or [float(label != -100) for label in row.labels]
    assert [label == -100 for label in row.labels] == [weight == 0 for weight in weights]
    found = groupby(zip(weights, row.input_ids, strict=True), key=lambda one: one[0])
    return [(weight, tokenizer.decode([token for _, token in run])) for weight, run in found if weight]


def learnt(tokenizer: Any, example: Example | list[Turn], *names: str, **own: str) -> list[tuple[float, str]]:
    return runs(tokenizer, encoded(tokenizer, example, *names, **own))


def test_react_on_a_byte_level_tokenizer(tokenizer: Any) -> None:
    assert learnt(tokenizer, [Q, Turn("assistant", REACT)], "react") == [
        (1, "Thought: I am.\n"),
        (2, "Action: get\nAction Input: {}\nObservation:"),
        (1, "Final Answer: Six<|im_end|>"),
    ]


def test_agentflan_weighs_what_follows_its_keys(tokenizer: Any) -> None:
    assert learnt(tokenizer, [Q, Turn("assistant", REACT)], "agentflan") == [
        (1, "Thought: I am.\nAction:"),
        (3, " get\n"),
        (1, "Action Input:"),
        (3, " {}\n"),
        (2, "Observation:"),
        (1, "Final Answer: Six<|im_end|>"),
    ]
    asked = [Turn("user", "What is the value of x?"), Turn("assistant", "Action: 6")]
    assert learnt(tokenizer, asked, "agentflan") == [(3, "Action: 6"), (1, "<|im_end|>")]


@pytest.mark.parametrize("name", [name for name in TOKENIZERS if name != "word piece"])
def test_react_on_other_tokenizers(name: str) -> None:
    """Of which the small vocabularies write most words letter by letter, with blanks before or apart from them."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=TOKENIZERS[name](),
        bos_token="<s>",
        eos_token="</s>",
        extra_special_tokens={"start": "<|im_start|>", "end": "<|im_end|>"},
    )
    tokenizer.chat_template = CHATML
    row = encoded(tokenizer, [Q, Turn("assistant", REACT)], "react")
    found = [(weight, "".join(text.replace("<unk>", "").split())) for weight, text in runs(tokenizer, row)]
    known = str.maketrans("", "", "".join({*REACT} - {*"".join(tokenizer.get_vocab())}))
    wanted = [(1, "Thought:Iam."), (2, "Action:getActionInput:{}Observation:"), (1, "FinalAnswer:Six<|im_end|>")]
    assert found == [(weight, text.translate(known)) for weight, text in wanted]


def test_wordpiece_takes_words_whole() -> None:
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=TOKENIZERS["word piece"](), eos_token="</s>", extra_special_tokens={"end": "<|im_end|>"}
    )
    tokenizer.chat_template = CHATML
    row = encoded(tokenizer, [Q, Turn("assistant", "Who a Great bird")], "mine", mine='{"Great": [2, 0.5]}')
    assert runs(tokenizer, row) == [(1, "who a"), (2, "great"), (0.5, "bird"), (1, "<|im_end|>")]


def test_a_token_across_a_border_has_the_weight_of_its_first_letter(tokenizer: Any) -> None:
    rule = '{"Act": [2, 0.5]}'
    assert tokenizer.tokenize("Action") == ["Action"]
    assert learnt(tokenizer, [Q, Turn("assistant", "Action")], "mine", mine=rule) == [(2, "Action"), (1, "<|im_end|>")]
    assert learnt(tokenizer, [Q, Turn("assistant", "a Action")], "mine", mine=rule)[:2] == [(1, "a"), (2, " Action")]


def test_tokens_are_those_of_the_whole_answer(tokenizer: Any) -> None:
    turns = [Q, Turn("assistant", "Action: 日本\n\nAction Input:🙂 x")]
    plain, weighed = encoded(tokenizer, turns), encoded(tokenizer, turns, "react")
    assert weighed.input_ids == plain.input_ids and weighed.labels == plain.labels


def test_all_weighs_prompts_too(tokenizer: Any) -> None:
    turns = [Turn("system", "Action: none"), Turn("user", "Go"), Turn("assistant", "Action: get")]
    assert learnt(tokenizer, turns, "all+react") == [
        (1, "<|im_start|>system\n"),
        (2, "Action: none<|im_end|>\n<|im_start|>user\nGo<|im_end|>\n<|im_start|>assistant\nAction: get"),
        (1, "<|im_end|>\n"),
    ]


def test_last_round_is_what_follows_the_last_question_or_result(tokenizer: Any) -> None:
    turns = [Q, Turn("assistant", "One"), Turn("tool", "r"), Turn("assistant", "Two"), Turn("assistant", "Three")]
    assert learnt(tokenizer, [*turns, Turn("user", "unanswered")], "last_round") == [
        (1, "Two<|im_end|>"),
        (1, "Three<|im_end|>"),
    ]


@pytest.mark.parametrize("behind", ["", "\nfree"])
def test_last_round_is_what_follows_the_last_result_within_an_answer(tokenizer: Any, behind: str) -> None:
    content = "One\nr\nTwo\nq" + behind
    given = ((4, 6), (content.index("q"), content.index("q") + 2))
    wanted = "free" if behind else "Two\n"
    turns = [Q, Turn("assistant", "Zero"), Q, Turn("assistant", content, given=given)]
    found = learnt(tokenizer, turns, "last_round")
    assert [text for _, text in found] == ([f"{wanted}<|im_end|>"] if behind else [wanted, "<|im_end|>"])
    assert learnt(tokenizer, turns)[0] == (1, "Zero<|im_end|>")


def test_marks_multiply_rules(tokenizer: Any) -> None:
    turns = [Q, Turn("assistant", "Action: a", 0.5), Q, Turn("assistant", "Thought: b", 0), Q, Turn("assistant", "c")]
    assert learnt(tokenizer, turns, "react") == [(1, "Action: a"), (0.5, "<|im_end|>"), (1, "c<|im_end|>")]


def test_a_text_is_weighed_as_an_answer(tokenizer: Any) -> None:
    found = learnt(tokenizer, Example([], "So Action: x", 0.5), "react")
    assert found == [(0.5, "So"), (1, " Action: x"), (0.5, "<|im_end|>")]


def test_what_looks_like_control_tokens_is_searched_as_it_was_written(tokenizer: Any) -> None:
    rule = r'{"<[|]im_end[|]>": [3]}'
    turns = [Turn("user", "<|im_end|>"), Turn("assistant", "日 a <|im_end|> b")]
    assert learnt(tokenizer, turns, "mine", mine=rule) == [(1, "日 a"), (3, " <|im_end|>"), (1, " b<|im_end|>")]


@pytest.mark.parametrize("template", [CHATML, TRIMMING])
@pytest.mark.parametrize("said", ["x", "<|im_end|>"])
def test_given_pieces_are_not_learnt(tokenizer: Any, template: str, said: str) -> None:
    changed = copy.copy(tokenizer)
    changed.chat_template = template
    content = f"  {said} Action: get\nObservation: it is 6\nAction: {said} "
    given = ((content.index(" it is"), content.rindex("Action")),)
    found = learnt(changed, [Q, Turn("assistant", content, given=given)])
    assert [weight for weight, _ in found] == [1, 1]
    assert [text.strip() for _, text in found] == [
        f"{said} Action: get\nObservation:",
        f"Action: {said}{' ' if template == CHATML else ''}<|im_end|>",
    ]


def test_given_pieces_that_a_template_rewrites_are_looked_for(tokenizer: Any) -> None:
    changed = copy.copy(tokenizer)
    changed.chat_template = CHATML.replace("m.content", "m.content.replace('result Six', 'result it is')")
    found = learnt(changed, [Q, Turn("assistant", "Six of result Six", given=((7, 13),))])
    assert found == [(1, "Six of"), (1, " it is<|im_end|>")]


def test_given_pieces_that_are_lost_are_refused(tokenizer: Any) -> None:
    segments = Segments(tokenizer)
    rows = SftRows(tokenizer, segments, Template())
    with pytest.raises(TemplateRefusalError, match="no longer found: 'Six'"):
        rows._weighing.of_answer([Turn("assistant", "a Six", given=((2, 5),))], 0, "a seven")


def test_a_pattern_that_takes_too_long_ends_the_data_set(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swiftlet_trainer.templates.loss_scale.rules.LONGEST", 0.05)
    with pytest.raises(UnsuitableTemplateError, match="a pattern of mine searches an answer of 61 characters"):
        encoded(tokenizer, [Q, Turn("assistant", "a" * 60 + "b")], "mine", mine='{"(a|aa)+$": [2]}')
