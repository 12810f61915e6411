"""What is shown of rows is what training gets of them, and what is wrong with them is found."""

from collections.abc import Callable
from copy import copy
from typing import Any

import pytest
from swiftlet.wire.preview import Preview, PreviewSequence
from swiftlet_trainer.data.scan import scan
from swiftlet_trainer.preview.making import Previewing
from swiftlet_trainer.preview.rows import label_of

Chat = Callable[..., dict[str, Any]]
PAIR = {"prompt": "Which bird?", "chosen": "A swift.", "rejected": "A brick."}
LONG = " ".join(["swift"] * 50)


@pytest.fixture
def preview(pod: Any, tokenizer: Any) -> Callable[..., Preview]:
    def made(rows: list[Any], most: int | None = None, using: Any = tokenizer, **changes: Any) -> Preview:
        document = pod.document(pod.data("a.jsonl", rows), **changes)
        return Previewing(document, using).preview(2 if most else 3, most)

    return made


def states(found: Preview) -> dict[str, str]:
    return {check.name: check.state for check in found.checks}


def learnt(sequence: PreviewSequence) -> str:
    return "".join(token.text for part in sequence.segments for token in part.tokens if token.weight)


def test_tokens_and_weights_are_those_that_are_trained(preview: Any, pod: Any, tokenizer: Any, chat: Chat) -> None:
    rows = [chat("Who?", "Action: fly\nAction Input: up"), chat("a <|im_end|>", "b", "c", "d")]
    template = {"lossScale": ["react"]}
    found = preview(rows, template=template)
    trained: list[Any] = []
    scan(pod.document(pod.data("a.jsonl", rows), template=template), tokenizer, lambda _, batch: trained.extend(batch))
    for row, encoded in zip(found.rows, trained, strict=True):
        tokens = [token for part in row.sequences[0].segments for token in part.tokens]
        assert [token.id for token in tokens] == encoded.input_ids
        assert [token.weight for token in tokens] == (encoded.weights or [float(one != -100) for one in encoded.labels])
    assert [part.kind for part in found.rows[1].sequences[0].segments] == ["prompt", "answer"] * 2 + ["prompt"]
    assert learnt(found.rows[1].sequences[0]) == "b<|im_end|>d<|im_end|>"
    assert max(found.rows[0].weights) == 2
    prompt = found.rows[1].sequences[0].segments[0].tokens  # in which a text looks like a control token
    assert [token.text for token in prompt if token.control] == ["<|im_start|>", "<|im_end|>"] * 2 + ["<|im_start|>"]
    assert "".join(token.text for token in prompt).count("<|im_end|>") == 3
    assert {check.state for check in found.checks} == {"ok"} and found.is_good


def test_what_was_dropped_is_told_with_its_reason(preview: Any, chat: Chat) -> None:
    found = preview([chat("q"), chat("q", "a"), chat(LONG, "a")], template={"maxLength": 60})
    assert found.datasets[0].dropped == {"no_assistant_turn": 1, "too_long": 1}
    assert states(found) | {"nothing": "warning", "dropped": "warning", "length": "warning"} == states(found)
    assert found.is_good


def test_only_the_first_rows_are_read_and_fewer_are_shown(preview: Any, chat: Chat) -> None:
    found = preview([chat("q", str(number)) for number in range(5)], most=3)
    assert (found.datasets[0].read, found.datasets[0].whole, len(found.rows)) == (3, False, 2)


def test_the_end_that_was_cut_off_is_counted_and_no_failure(preview: Any, chat: Chat) -> None:
    found = preview([chat("q", LONG)], template={"maxLength": 50, "truncation": "truncate"})
    (sequence,) = found.rows[0].sequences
    assert sequence.cut > 20 and len(found.rows[0].weights) == 50
    assert states(found)["stop"] == "ok" and states(found)["length"] == "warning"


def test_a_long_text_is_split_and_its_first_token_is_not_learnt(preview: Any) -> None:
    found = preview([{"text": LONG}], task={"pretrain": {}}, template={"maxLength": 20})
    assert [len(row.weights) for row in found.rows] == [20, 20, 12]
    assert found.rows[0].sequences[0].segments[0].kind == "text" and found.rows[0].weights == [0.0, *[1.0] * 19]
    assert found.is_good and found.datasets[0].usable == 1


def test_pairs_are_chosen_and_rejected(preview: Any) -> None:
    (row,) = preview([PAIR], task={"dpo": {}}).rows
    assert [(one.name, learnt(one)) for one in row.sequences] == [
        ("chosen", "A swift.<|im_end|>"),
        ("rejected", "A brick.<|im_end|>"),
    ]


@pytest.mark.parametrize(
    ("task", "targets", "label"),
    [
        ({"kto": {}}, [0.0], "bad answer"),
        ({"rm": {}}, [2.0], "margin 2"),
        ({"seqCls": {"labels": ["bird", "brick"]}}, [1.0], "label brick"),
        ({"sft": {"enableChannelLoss": True}}, [1.0], "channel web"),
        ({"embedding": {"lossType": "cosent"}}, [0.5], "score 0.5"),
        ({"embedding": {}}, [1.0], None),
        ({"sft": {}}, None, None),
    ],
)
def test_labels_are_told(pod: Any, task: Any, targets: list[float] | None, label: str | None) -> None:
    assert label_of(pod.document(task=task), targets, ["book", "web"]) == label


def test_texts_that_are_compared_have_names_and_nothing_of_them_is_learnt(preview: Any) -> None:
    found = preview([{"query": "q", "positive": "p", "negative": "n"}], task={"embedding": {}})
    assert [one.name for one in found.rows[0].sequences] == ["query", "document", "negative"]
    assert not any(found.rows[0].weights) and not found.learns_tokens
    assert set(states(found)) == {"dropped", "length"} and found.is_good


def test_an_answer_that_generation_would_not_end_fails(preview: Any, chat: Chat, tokenizer: Any) -> None:
    endless = copy(tokenizer)
    endless.chat_template = "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}" + (
        "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
    )
    found = preview([chat("q", "a")], using=endless)
    stop = next(check for check in found.checks if check.name == "stop")
    assert (stop.state, stop.places, found.is_good) == ("failed", ["a.jsonl:1"], False)
