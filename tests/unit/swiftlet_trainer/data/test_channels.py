"""Channels of rows: their names, whose they are, and what is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from swiftlet_trainer.data.channels import CHANNELLED, Channels, dataset_channels
from swiftlet_trainer.data.formats import converted, detect, key_book
from swiftlet_trainer.data.keys import RowError
from swiftlet_trainer.data.prepare import prepare
from swiftlet_trainer.failures import InvalidInput


def channel(value: Any) -> str | None:
    row = {"text": "Swifts sleep.", "channel": value}
    found = detect(row, None, CHANNELLED)
    return converted(row, found, None, key_book(found, None)).channel


@pytest.mark.parametrize(
    ("value", "expected"), [("chat", "chat"), (" 中文/医学 ", "中文/医学"), (3, "3"), (None, None), ("", None)]
)
def test_a_channel_is_a_name_or_a_number(value: Any, expected: str | None) -> None:
    assert channel(value) == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (["chat"], "channel must be text, this is list"),
        (True, "channel must be text, this is bool"),
        ("a\nb", "no control characters"),
        ("x" * 49, "48 bytes at most"),
        ("中" * 17, "48 bytes at most"),
    ],
)
def test_what_is_no_name_is_refused(value: Any, words: str) -> None:
    with pytest.raises(RowError, match=words):
        channel(value)


def test_channels_are_as_many_as_a_status_takes() -> None:
    channels = Channels()
    assert [channels.number(f"c{number % 16}") for number in range(32)] == [*range(16), *range(16)]
    with pytest.raises(RowError, match="channel 'c16' is one more than the 16 that are told apart; give rows like it"):
        channels.number("c16")


@pytest.mark.parametrize(
    ("uris", "names"),
    [
        (["configmap://rows/chats.jsonl", "hf://org/set@main/data/code.parquet"], ["chats", "code"]),
        (["pvc://one/train.jsonl", "pvc://two/train.jsonl"], ["one/train", "two/train"]),
        (["a/x.jsonl", "b/x.jsonl", "b/y.jsonl"], ["a/x", "b/x", "b/y"]),
        (["x.jsonl", "x.csv"], ["x.jsonl", "x.csv"]),
        (["x.jsonl", "x.jsonl"], ["x", "x"]),
        ([f"{'x' * 60}.jsonl", "y.jsonl"], ["datasets[0]", "y"]),
    ],
)
def test_a_data_set_is_called_by_its_file(uris: list[str], names: list[str]) -> None:
    assert dataset_channels(uris) == names


@pytest.mark.parametrize("packing", [False, True])
def test_rows_keep_their_channel(pod: Any, tokenizer: Any, chat: Callable[..., Any], packing: bool) -> None:
    """Beside their tokens, also where several share a sequence; rows that say none have their data set's."""
    marked = [{**chat(f"q{n}", f"a{n}"), "channel": "birds" if n % 2 else ""} for n in range(6)]
    plain = [chat(f"q{n}", f"b{n}") for n in range(2)]
    document = pod.document(
        pod.data("marked.jsonl", marked),
        pod.data("plain.jsonl", plain),
        task={"sft": {"enableChannelLoss": True}},
        template={"packing": packing, "maxLength": 128},
        training={"evalFraction": 0.5},
    )
    found = prepare(document, tokenizer)
    assert found.channels == ("marked", "birds", "plain")
    assert len(found.train) < 4 if packing else len(found.train) == 4
    seen = []
    for row in [*found.train, *found.eval]:
        texts = tokenizer.decode(row["input_ids"]).split("assistant\n")[1:]
        seen += [
            (text.split("<|im_end|>")[0], found.channels[int(number)])
            for text, number in zip(texts, row["targets"], strict=True)
        ]
    own = {f"a{n}": "birds" if n % 2 else "marked" for n in range(6)}
    assert dict(seen) == {**own, "b0": "plain", "b1": "plain"}


def test_pieces_of_a_text_are_of_its_channel(pod: Any, tokenizer: Any) -> None:
    rows = [{"text": "Swifts. " * 40, "channel": "long"}, {"text": "Swifts.", "channel": "short"}]
    task = {"pretrain": {"enableChannelLoss": True}}
    found = prepare(pod.document(pod.data("t.jsonl", rows), task=task, template={"maxLength": 32}), tokenizer)
    assert found.channels == ("long", "short")
    assert found.train["targets"][:] == [[0.0]] * (len(found.train) - 1) + [[1.0]]
    assert len(found.train) > 2


def test_too_many_channels_are_refused_by_line(pod: Any, tokenizer: Any, chat: Callable[..., Any]) -> None:
    rows = [{**chat("q", "a"), "from": f"c{n}"} for n in range(18)]
    dataset = {**pod.data("rows.jsonl", rows), "columns": {"channel": "from"}}
    with pytest.raises(InvalidInput) as refused:
        prepare(pod.document(dataset, task={"sft": {"enableChannelLoss": True}}), tokenizer)
    assert "rows.jsonl:17: channel 'c16' is one more" in str(refused.value)
    with pytest.raises(InvalidInput, match=r"columns\.channel has no meaning for format messages"):
        prepare(pod.document(dataset), tokenizer)
