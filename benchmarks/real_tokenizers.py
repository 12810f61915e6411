"""Folders with real tokenizers of four kinds, from packages that the locks install; nothing is downloaded.

Each has ChatML's control tokens and its plain template, so that two programs write the same text with all of them.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from training_environments import python_of

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTROL = ["<|im_start|>", "<|im_end|>"]
QWEN_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Where Qwen2's tokenizer ends a piece (source: its tokenizer.json)."""


def smollm2(_scratch: Path) -> Any:
    """Byte-level BPE with GPT-2's pieces, 49,152 tokens."""
    from swiftlet_trainer.models.smollm2 import folder
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder())


def qwen(_scratch: Path) -> Any:
    """Byte-level BPE with single digits, 151,643 tokens: as qwen-agent has it, which EvalScope's lock installs."""
    environment = Path(python_of("evalscope")).parent.parent
    (file,) = environment.glob("lib/python*/site-packages/qwen_agent/utils/qwen.tiktoken")
    return _byte_level(file, QWEN_WORDS)


def tekken(scratch: Path) -> Any:
    """Byte-level BPE with pieces by case, 131,072 tokens: Mistral-Nemo's, in mistral-common."""
    held = json.loads((_mistral() / "tekken_240718.json").read_text())
    file = scratch / "tekken.tiktoken"
    kept = held["vocab"][: held["config"]["default_vocab_size"] - held["config"]["default_num_special_tokens"]]
    file.write_text("".join(f"{one['token_bytes']} {one['rank']}\n" for one in kept))
    return _byte_level(file, held["config"]["pattern"])


def sentencepiece(_scratch: Path) -> Any:
    """BPE of SentencePiece with blanks before words, 32,768 tokens: Mistral-7B's third, in mistral-common."""
    from sentencepiece import SentencePieceProcessor
    from transformers import LlamaTokenizer
    from transformers.tokenization_utils_base import generate_merges

    # transformers reads such files by a module that needs a newer protobuf than vLLM allows.
    held = SentencePieceProcessor(model_file=str(_mistral() / "mistral_instruct_tokenizer_240323.model.v3"))
    vocab = {held.id_to_piece(number): number for number in range(held.get_piece_size())}
    return LlamaTokenizer(vocab=vocab, merges=generate_merges(vocab))


TOKENIZERS: dict[str, Callable[[Path], Any]] = {
    "SmolLM2": smollm2,
    "Qwen": qwen,
    "Tekken": tekken,
    "Mistral 7B": sentencepiece,
}


def folders(root: Path, names: Iterable[str] = tuple(TOKENIZERS)) -> dict[str, Path]:
    """Name -> a folder that both programs load a tokenizer from."""
    return {name: saved(TOKENIZERS[name](root), root / name.replace(" ", "-")) for name in names}


def with_chatml(tokenizer: Any) -> Any:
    """The tokenizer with ChatML's control tokens and template."""
    tokenizer.add_special_tokens({"extra_special_tokens": CONTROL})
    tokenizer.eos_token, tokenizer.chat_template = CONTROL[1], CHATML
    return tokenizer


def saved(tokenizer: Any, folder: Path) -> Path:
    with_chatml(tokenizer).save_pretrained(folder)
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": len(tokenizer)}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def _mistral() -> Path:
    import mistral_common

    return Path(mistral_common.__file__).parent / "data"


def _byte_level(file: Path, words: str) -> Any:
    """A tokenizer of ranks in tiktoken's form; merges are those that make each token of two of lower rank."""
    from transformers import PreTrainedTokenizerFast
    from transformers.convert_slow_tokenizer import TikTokenConverter

    made = TikTokenConverter(vocab_file=str(file), pattern=words, extra_special_tokens=CONTROL).converted()
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token=CONTROL[1])
