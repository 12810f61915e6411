"""Import of a GGUF file: weights, configuration and tokenizer as a folder that transformers and vLLM read."""

import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Metadata:
    """What the file itself says about its vocabulary. Keys: ggml's specification of GGUF, `tokenizer.ggml.*`."""

    model: str
    pre: str
    context_length: int
    bos_token_id: int | None
    eos_token_id: int | None
    unknown_token_id: int | None
    padding_token_id: int | None

    def token_ids(self) -> dict[str, int | None]:
        return {name: number for name, number in asdict(self).items() if name.endswith("_id")}


def read_metadata(file: Path) -> Metadata:
    """The vocabulary's metadata of a GGUF file. Raises ValueError when it is no GGUF file or has no tokenizer."""
    from gguf import GGUFReader

    fields = GGUFReader(file).fields

    def value(key: str) -> Any:
        return fields[key].contents() if key in fields else None

    architecture = value("general.architecture")
    if value("tokenizer.ggml.model") is None:
        raise ValueError(f"{file}: no tokenizer in this GGUF file; use one that holds the whole model")
    return Metadata(
        model=value("tokenizer.ggml.model"),
        pre=value("tokenizer.ggml.pre") or "default",
        context_length=value(f"{architecture}.context_length"),
        bos_token_id=value("tokenizer.ggml.bos_token_id"),
        eos_token_id=value("tokenizer.ggml.eos_token_id"),
        unknown_token_id=value("tokenizer.ggml.unknown_token_id"),
        padding_token_id=value("tokenizer.ggml.padding_token_id"),
    )


def convert(file: Path, folder: Path) -> Metadata:
    """Write the model in `file` to `folder` (which must not exist) as float32 safetensors; returns its metadata.

    The folder appears complete or not at all. Quantized weights are dequantized exactly; they are plain weights
    afterwards, so the folder can be trained, adapted and served like any other.
    """
    metadata = read_metadata(file)
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        _save_model(file, building)
        _save_tokenizer(file, building, metadata)
        building.chmod(0o755)
        for written in building.iterdir():
            written.chmod(0o644)
        building.rename(folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return metadata


def _save_model(file: Path, folder: Path) -> None:
    """transformers refuses to save a model that came from GGUF, so its weights move into one that did not."""
    import torch
    from transformers import AutoModelForCausalLM

    loaded = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = type(loaded)(config)
    model.load_state_dict(loaded.state_dict())
    model.generation_config = loaded.generation_config
    model.save_pretrained(folder)


def _save_tokenizer(file: Path, folder: Path, metadata: Metadata) -> None:
    """The tokenizer, corrected where transformers' reader departs from what the file says."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    if metadata.model == "gpt2":
        _make_byte_level(tokenizer.backend_tokenizer, metadata.pre)
    # The reader takes eos from a fixed name and leaves pad out; training would append the wrong end token.
    for attribute, number in (
        ("bos_token", metadata.bos_token_id),
        ("eos_token", metadata.eos_token_id),
        ("unk_token", metadata.unknown_token_id),
        ("pad_token", metadata.padding_token_id if metadata.padding_token_id is not None else metadata.eos_token_id),
    ):
        if number is not None:
            setattr(tokenizer, attribute, tokenizer.convert_ids_to_tokens(number))
    tokenizer.clean_up_tokenization_spaces = False
    tokenizer.init_kwargs["clean_up_tokenization_spaces"] = False
    tokenizer.model_max_length = metadata.context_length
    tokenizer.save_pretrained(folder)


def _make_byte_level(backend: Any, pre: str) -> None:
    """GPT-2's byte-level BPE as it is published, where the reader leaves parts of SentencePiece.

    The reader's decoder turns U+2581 in a text into a space, and its pre-tokenizer knows no splitting of digits.
    """
    from tokenizers import decoders, pre_tokenizers

    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)
    digits = pre_tokenizers.Digits(individual_digits=True)
    # Source of the names: llama.cpp, llm_tokenizer_bpe. Others keep what the reader chose.
    known = {"smollm": pre_tokenizers.Sequence([digits, byte_level]), "gpt-2": byte_level}
    backend.pre_tokenizer = known.get(pre, backend.pre_tokenizer)
    backend.decoder = decoders.ByteLevel()
    bpe = backend.model
    bpe.unk_token, bpe.byte_fallback, bpe.fuse_unk = None, False, False
    backend.model = bpe
