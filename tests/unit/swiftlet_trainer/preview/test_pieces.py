from typing import Any

from swiftlet_trainer.preview.pieces import Pieces
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast


def texts(tokenizer: Any, text: str) -> list[str]:
    return [Pieces(tokenizer).text(one) for one in tokenizer(text, add_special_tokens=False)["input_ids"]]


def test_tokens_of_bytes_have_their_blanks_and_show_halves_of_characters(tokenizer: Any) -> None:
    assert texts(tokenizer, "<|im_start|>a bird") == ["<|im_start|>", "a", " bird"]
    found = texts(tokenizer, "é 🐦")
    assert "".join(found) == "é \\xf0\\x9f\\x90\\xa6"


def test_the_blank_of_sentencepiece_and_its_bytes() -> None:
    vocabulary = {"<unk>": 0, "\u2581a": 1, "\u2581bird": 2, "<0xE2>": 3, "a": 4, "\u2581": 5}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    pieces = Pieces(PreTrainedTokenizerFast(tokenizer_object=made))
    assert [pieces.text(one) for one in (2, 3, 4)] == [" bird", "\\xe2", "a"]
